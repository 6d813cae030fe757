"""The monitor: shows what is in the warehouse, read-only, and starts and stops the live store through Prefect."""
