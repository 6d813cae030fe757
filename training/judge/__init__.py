"""TODO training/judge."""
