"""A lake in a plain folder: what one machine uses, and what any tool that reads hive folders can open."""
