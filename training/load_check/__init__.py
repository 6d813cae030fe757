"""A stored model must load and answer in a process of its own."""
