"""A lake on an object store, as Delta Lake tables over the same Parquet bytes as in a plain folder."""
