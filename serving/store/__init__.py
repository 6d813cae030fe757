"""TODO serving/store."""
