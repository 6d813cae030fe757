"""Intake: what a store sold, counted and was visited by, from its own systems, over HTTP or as files."""
