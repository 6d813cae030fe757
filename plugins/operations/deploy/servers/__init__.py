"""The servers that more than one machine shares, started on this one: PostgreSQL, an object store, a Dask cluster."""
