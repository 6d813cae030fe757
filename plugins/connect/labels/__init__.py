"""Prices on their way to tills and shelf labels: batches that are sent, and what the devices say they show."""
