"""Measures every stage against what one would otherwise do, and against its target."""
