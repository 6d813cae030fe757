"""Turns valid decisions into model input, by one definition in SQL for training and serving; reads stored models."""
