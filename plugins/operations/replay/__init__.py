"""Replay a day from what was in force, and hold every byte against its receipt."""
