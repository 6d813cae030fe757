"""TODO warehouse/commits."""
