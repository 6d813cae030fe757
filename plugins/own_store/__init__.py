"""A retailer's own history: its files, the response to prices in them, and what may move on it."""
