"""DuckDB over the lake: views, and read-only questions of people."""
