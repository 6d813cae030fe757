"""Commits of many partitions: all or nothing, also after a kill."""
