"""TODO catalog/decisions."""
