"""From outside to valid tables: extract, validate, transform, load."""
