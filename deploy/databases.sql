-- Prefect and MLflow each keep a table of the same name, so each has a database of its own beside ours.
create database prefect;
create database mlflow;
