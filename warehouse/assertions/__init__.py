"""Claims about the data, each a query that returns the rows that break it."""
