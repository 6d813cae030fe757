"""Scores of candidates, the gain of their prices, and the gate."""
