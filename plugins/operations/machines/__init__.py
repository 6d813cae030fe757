"""Past one machine: the lake on an object store, PostgreSQL, Dask, and deployment."""
