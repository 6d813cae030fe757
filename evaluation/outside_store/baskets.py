"""The receipts in another grain: a row for each receipt and product on the shelf, bought or not."""

from pathlib import Path

import duckdb
from pyarrow import csv

from warehouse.sql_files import queries_beside

_QUERY = queries_beside(__file__)


def baskets_as_visits(receipts: Path) -> Path:
    """Write an export of till lines as visits beside it, and return its file.

    Every receipt becomes a shopper who looked at each product on the shelf. How many units were bought is lost.
    """
    visits = receipts.with_name("visits.csv")
    with duckdb.connect() as connection:
        table = connection.sql(_QUERY("baskets_as_visits"), params={"receipts": str(receipts)}).to_arrow_table()
    csv.write_csv(table, visits)
    return visits
