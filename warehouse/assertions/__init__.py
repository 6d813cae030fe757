"""Assertions about the data: what must hold for every partition of the lake."""
