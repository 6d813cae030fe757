"""The price book: the prices of a belief as a table, made at night."""
