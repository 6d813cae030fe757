"""Policies against each other and against a clairvoyant, on the same shoppers."""
