"""Where tables live: the Parquet lake, DuckDB connections, SQL views and assertions."""
