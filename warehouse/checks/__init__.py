"""TODO warehouse/checks."""
