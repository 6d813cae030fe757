"""Files of people's exports, read in blocks within bounds: CSV, Parquet and workbooks."""
