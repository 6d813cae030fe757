"""TODO serving/optimise."""
