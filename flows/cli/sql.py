"""The command that answers SQL. It starts no service."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from catalog.settings import read_settings
from flows.cli.command import command
from flows.cli.options import Json

Query = Annotated[str | None, typer.Argument(help="A SQL query; without one, from standard input or a prompt.")]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values on stdout.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the answer to a file that ends in .csv, .json or .parquet."),
]
Force = Annotated[bool, typer.Option("--force", help="Let --out replace a file.")]


@command()
def sql(query: Query = None, csv: Csv = False, as_json: Json = False, out: Out = None, force: Force = False) -> None:
    """Query the warehouse in SQL, read-only, even while flows write.

    A query reads the lake and no other file, address or extension, and writes nothing; --out keeps its answer.

    Views for analysts: daily_sales, hourly_sales, daily_prices, stock_outs, demand_by_price, budget_groups,
    champion_history, past_days, price_history, audit. Tables as stored, among others: interactions, repricings,
    unit_sales, promotions, demand_cells, visit_counts, store_visits, training_rows, price_book, demand_curves, beliefs,
    belief_updates, nights, model_versions, champions, drift_checks, days_in_force, catalogs, ingested_files, rejected,
    products, stores, shoppers, policy_results, learning_results, regret_by_day, drift_results, trials, trial_blocks,
    price_changes, alerts, export_batches, label_states.
    `from dictionary` names every table and column; docs/sql-cookbook.md has questions with their answers.

    For example:
      shelfprice sql "from daily_sales limit 5"
      shelfprice sql --csv "from dictionary"
    """
    from flows.cli.sql_answers import WRITERS, answer, converse, keep, refuse_place

    if csv + as_json + (out is not None) > 1:
        raise typer.BadParameter("expected one of --csv, --json and --out, found more; nothing was run: choose one")
    if force and out is None:
        raise typer.BadParameter("--force lets --out replace a file, and there is no --out; nothing was run: add one")
    if out is not None and out.suffix.lower() not in WRITERS:
        raise typer.BadParameter(f"--out {out}: expected an ending of {', '.join(WRITERS)}; nothing was run: add one")
    if query is None and out is None and sys.stdin.isatty():
        converse(read_settings())
        return
    settings = read_settings()
    place = None if out is None else refuse_place(settings, out, force=force)
    text = query if query is not None else sys.stdin.read()
    if place is not None:
        keep(settings, text, place)
    else:
        answer(settings, text, "csv" if csv else "json" if as_json else "table")
