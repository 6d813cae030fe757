"""Order, retries and progress: the Prefect flows and the command line."""
