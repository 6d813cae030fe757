create schema prefect
