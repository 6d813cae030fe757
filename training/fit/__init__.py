"""TODO training/fit."""
