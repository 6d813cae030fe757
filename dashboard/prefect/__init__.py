"""What the monitor asks Prefect's API and lets it do."""
