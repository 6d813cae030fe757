"""Commands that look and start no service: quote, sql, verify and reset."""

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.errors import DataError, Declined, LakeError
from catalog.settings import read_settings
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json
from flows.environment import prepare

Sku = Annotated[str, typer.Option(help="Stock-keeping unit, for example MILK.")]
Stock = Annotated[int, typer.Option(min=0, help="Units on the shelf.")]
TicksLeft = Annotated[
    int | None, typer.Option(min=1, help="Ticks until closing, this one included; by default the whole day.")
]
Shown = Annotated[float | None, typer.Option(min=0.01, help="Price on the shelf now, EUR, for limits on steps.")]
Opening = Annotated[
    float | None, typer.Option(min=0.01, help="Price at opening, EUR, for the limit of a day; by default --shown.")
]
Query = Annotated[str | None, typer.Argument(help="A SQL query; without one, from standard input or a prompt.")]


def quote(
    sku: Sku,
    stock: Stock,
    ticks_left: TicksLeft = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why: the policy's price, each limit, what the limits cost.")
    ] = False,
    shown: Shown = None,
    opening: Opening = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Price one product at a stock level: a look-up in the price book in force, under the guardrails."""
    from catalog.load import load
    from serving.book_store import book_in_force
    from serving.quote import explained, show_explanation, show_quote
    from warehouse.lake import Lake

    shelf = load(catalog)
    product = shelf.product(sku)
    found = book_in_force(Lake(read_settings()))
    if found is None:
        raise DataError(
            f"expected a price book, found none; the base price of {sku}, {product.base_price:.2f} EUR, stands: "
            "run `shelfprice demo`, or simulate, transform, train and price"
        )
    book, curves, _ = found
    answer = explained(shelf, book, curves, sku, stock, ticks_left, shown, opening)
    if as_json:
        emit(vars(answer))
    elif explain:
        show_explanation(answer)
    else:
        show_quote(product.name, answer)


def sql(
    query: Query = None,
    csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values on stdout.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the warehouse in SQL, read-only, while flows write as they like.

    For people: daily_sales, hourly_sales, daily_prices, stock_outs, demand_by_price, budget_groups, champion_history,
    past_days. As kept: interactions, repricings, demand_cells, training_rows, price_book, demand_curves, nights,
    model_versions, champions, drift_checks, days_in_force, catalogs, ingested_files, rejected, products, shoppers,
    policy_results, learning_results, drift_results.
    `from dictionary` says what every column means; docs/sql-cookbook.md has questions with their answers.
    """
    from flows.cli import sql_prompt

    if query is None and sys.stdin.isatty():
        sql_prompt.converse(read_settings())
        return
    text = query if query is not None else sys.stdin.read()
    sql_prompt.answer(read_settings(), text, "csv" if csv else "json" if as_json else "table")


def verify(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Move damaged and orphaned files out, so that the good ones go on.")
    ] = False,
    model: Annotated[
        bool, typer.Option("--model", help="Also score the champion in a fresh process, as any client of MLflow would.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Prove every file of the lake against its receipt; exit 1 when one is damaged, missing or orphaned.

    With --model, `mlflow models predict` also scores the champion on the days it was judged on, and must give the
    chances of sale that prices are made from.
    """
    from flows.progress import tell
    from warehouse.lake import Lake
    from warehouse.verify import set_aside as move_out
    from warehouse.verify import verify as check

    settings = read_settings()
    lake = Lake(settings)
    if not lake.root.is_dir():
        raise LakeError(f"{lake.root}: expected a lake, found none; run `shelfprice demo`, or set SHELFPRICE_HOME")
    with progress_bars():
        verdict = check(lake, lambda done, total: tell("checking files", done, total))
    findings = [
        {"file": str(finding.path.relative_to(settings.home)), "kind": finding.kind, "message": finding.message}
        for finding in verdict.findings
    ]
    moved = [str(path.relative_to(settings.home)) for path in move_out(lake, verdict)] if set_aside else []
    counts = {"files": verdict.files, "rows": verdict.rows, "being_written": verdict.being_written}
    if findings and not as_json:
        show_table("Findings", ["file", "kind", "what to do"], [list(finding.values()) for finding in findings])
    if not as_json:
        remark(", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items()))
    if moved and not as_json:
        remark(f"set aside: {', '.join(moved)}")
    scored = _score_champion(as_json=as_json) if model else {}
    if as_json:
        emit({**counts, "findings": findings, "set_aside": moved, **scored})
    if findings and not set_aside:
        raise LakeError(f"{len(findings)} of {verdict.files} files are not as they were published")


def _score_champion(*, as_json: bool) -> dict[str, Any]:
    """Score the champion through MLflow, and show it unless it goes into the JSON answer."""
    settings = prepare()
    remark("scoring the champion with mlflow models predict ...")
    from training.mlflow_check import score_champion

    found = vars(score_champion(settings))
    if not as_json:
        rows = [[name.replace("_", " "), value] for name, value in found.items()]
        show_table("The champion as MLflow scores it", ["", "found"], rows)
    return {"model": found}


def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove everything that was generated: the lake, the warehouse, the models and the runs."""
    home: Path = read_settings().home
    if not home.exists():
        remark(f"{home}: nothing to remove")
        return
    known = {"lake", "locks", "mlflow", "prefect", "scratch", "set-aside", "shelf", "warehouse.duckdb"}
    strangers = sorted(path.name for path in home.iterdir() if path.name not in known)
    if strangers:
        raise Declined(f"{home} also holds {strangers[0]}, which is not ours; nothing was removed: move it away first")
    if not yes and not typer.confirm(f"Remove everything in {home}?"):
        raise Declined("nothing was removed")
    shutil.rmtree(home)
    remark(f"removed {home}")
