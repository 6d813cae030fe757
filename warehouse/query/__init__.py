"""TODO warehouse/query."""
