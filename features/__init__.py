"""Valid decisions to model input, one definition in SQL for training and for serving."""
