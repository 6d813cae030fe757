"""Upkeep of the MLflow registry: prune old models, end runs of killed trainings."""
