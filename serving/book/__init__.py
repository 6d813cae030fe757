"""TODO serving/book."""
