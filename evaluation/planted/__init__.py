"""Logs whose truth is known, taken through the real path: what is told, and whether it is true."""
