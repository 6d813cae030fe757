"""Valid decisions to model input, one definition in SQL for training and serving, and what a stored model answers."""
