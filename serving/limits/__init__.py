"""TODO serving/limits."""
