"""Alerts: what needs a person, told once when it begins."""
