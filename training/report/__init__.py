"""The training report, one self-contained HTML page, and the figures it shares with MLflow."""
