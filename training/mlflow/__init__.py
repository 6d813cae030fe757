"""Everything that training says to MLflow."""
