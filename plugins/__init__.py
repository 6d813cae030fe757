"""TODO plugins."""
