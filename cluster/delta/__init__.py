"""A lake on an object store, or in a folder, as Delta Lake tables over the same Parquet bytes as in a plain folder."""
