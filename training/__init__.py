"""Fit, judge, register and promote demand models."""
