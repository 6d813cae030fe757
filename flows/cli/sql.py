"""The command that answers SQL. It starts no service."""

import sys
from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.options import Json

Query = Annotated[str | None, typer.Argument(help="A SQL query; without one, from standard input or a prompt.")]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values on stdout.")]


def sql(query: Query = None, csv: Csv = False, as_json: Json = False) -> None:
    """Query the warehouse in SQL, read-only, even while flows write.

    Views for analysts: daily_sales, hourly_sales, daily_prices, stock_outs, demand_by_price, budget_groups,
    champion_history, past_days. Tables as stored: interactions, repricings, demand_cells, training_rows, price_book,
    demand_curves, nights, model_versions, champions, drift_checks, days_in_force, catalogs, ingested_files, rejected,
    products, shoppers, policy_results, learning_results, drift_results.
    `from dictionary` says what every column means; docs/sql-cookbook.md has questions with their answers.

    For example:
      shelfprice sql "from daily_sales limit 5"
      shelfprice sql --csv "from dictionary"
    """
    from flows.cli import sql_prompt

    if query is None and sys.stdin.isatty():
        sql_prompt.converse(read_settings())
        return
    text = query if query is not None else sys.stdin.read()
    sql_prompt.answer(read_settings(), text, "csv" if csv else "json" if as_json else "table")
