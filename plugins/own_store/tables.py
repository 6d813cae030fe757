"""The tables of a store of one's own: which files were ingested."""

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MOMENT, Column, Table

INGESTED_FILES = Table(
    "ingested_files",
    "one file that was ingested whole",
    ("part",),
    (
        Column("part", LONG_TEXT, "name of its partitions in the tables of what was sold, made from its bytes"),
        Column("file", LONG_TEXT, "name of the file, without its folder"),
        Column("sha256", LONG_TEXT, "SHA-256 of its bytes, hexadecimal"),
        Column("rows", pa.int64(), "rows in the file", "rows"),
        Column("valid", pa.int64(), "rows that were used: decisions, or sales that units were summed from", "rows"),
        Column("rejected", pa.int64(), "rows that were rejected", "rows"),
        Column("first_date", pa.date32(), "first business date with a row that was used"),
        Column("last_date", pa.date32(), "last business date with a row that was used"),
        Column("columns", LONG_TEXT, "column mapping, as a JSON object from our names to theirs"),
        Column("reasons", LONG_TEXT, "why rows were rejected, as a JSON object from reason to rows and first line"),
        Column("profile", LONG_TEXT, "what the file says about each product, as a JSON object"),
        Column("grain", LONG_TEXT, "what a row is: visits, receipts or units"),
        Column("summary", LONG_TEXT, "what else happened to its rows, as a JSON object"),
        Column("ingested_at", MOMENT, "when its last partition was published", "UTC"),
    ),
    by="key",
)


TABLES = (INGESTED_FILES,)
