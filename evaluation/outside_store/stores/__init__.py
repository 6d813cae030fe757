"""Stores that are not ours: programs of their own, which import numpy and each other, and nothing of this project."""
