create schema mlflow
