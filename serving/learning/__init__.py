"""TODO serving/learning."""
