"""The command that compares sellers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.command import Catalog, Json, command, text_of
from flows.cli.console import emit, remark, show_table

if TYPE_CHECKING:
    from plugins.evaluation.worlds import StoreWorld

Worlds = Annotated[
    list[str] | None,
    typer.Option(
        "--world",
        help='A world to live in, such as "classic" or "rich weekends", of those that --list shows. Repeatable, by '
        "default all of them.",
    ),
]
Days = Annotated[int, typer.Option(min=1, max=3_650, help="Days of a store that starts without data.")]
Seeds = Annotated[int, typer.Option(min=1, max=1_000, help="Number of seeds to repeat everything on.")]
Stores = Annotated[
    int,
    typer.Option(
        min=1, max=1_000, help="Stores of each world, at least its own, which share a belief and a price book."
    ),
]

Listed = Annotated[bool, typer.Option("--list", help="Show the worlds and stop; nothing is compared.")]


@command(
    when_stopped="stopped; no result was published: run the same command again to compare anew",
    flow="plugins.evaluation.flows",
    uses_registry=True,
    is_spread=True,
)
def compare(
    world: Worlds = None,
    days: Days = 60,
    seeds: Seeds = 10,
    stores: Stores = 1,
    listed: Listed = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Compare what the product earns in a store's first days with its peers, and with a clairvoyant.

    The product lives the days through the very functions of its nights, the gate included, beside its belief alone (no
    forest is trained), learners from the literature, those that pybandits and bayesianbandits ship (where the extra
    `peers` is installed) and the owner's price, all on the same shoppers. Every day is kept as regret_by_day.

    --list shows the worlds: in those without context demand does not depend on when and where shoppers come, in those
    with context it does.

    For example:
      shelfprice compare --world classic --days 14 --seeds 3
      shelfprice compare --world "rich weekends" --world holidays --json
    """
    from catalog.load import load
    from plugins.evaluation.worlds import asked_worlds

    named = _shelf_or_classic(catalog)
    worlds = asked_worlds(world or [], load(named))
    if listed:
        _list(worlds, as_json=as_json)
        return
    with compare.working():
        from flows.runs import as_command
        from plugins.evaluation.flows import compare as flow

        lived = as_command(flow)(tuple(world or ()), days, seeds, stores, text_of(named))
    _show(lived, seeds, as_json=as_json)


def _list(worlds: "Sequence[StoreWorld]", *, as_json: bool) -> None:
    """Show the name, the group and the description of worlds."""
    rows = [(world.name, "with" if world.has_context else "without", world.description) for world in worlds]
    columns = ("world", "context", "description")
    if as_json:
        emit({"worlds": [dict(zip(columns, row, strict=True)) for row in rows]})
        return
    show_table("Worlds", columns, rows)


def _show(lived: Any, seeds: int, *, as_json: bool) -> None:
    """Show what the product and its peers lost."""
    from plugins.evaluation.as_shipped import shipped_report as report

    if as_json:
        emit(report.as_json(lived))
        return
    show_table(
        f"Regret, % of what the clairvoyant earned, {_stores_of(lived)}",
        *report.regret_rows(lived),
        f"{seeds} seeds; every learner met the same shoppers, none began with a log; worst week in points, over 0 "
        "where the owner's price earned more",
    )
    show_table(
        "The product's regret less that of the best peer, points",
        *report.peer_rows(lived),
        "below 0 the product lost less; paired over seeds, with the 95 % interval",
    )
    gate = report.gate_rows(lived)
    show_table(
        "How soon the product priced, and what its gate did",
        *gate,
        "nights and amounts are means over seeds, counts are sums; falsely: truly 1 % worse or more; clearly: truly "
        "3 % better or more",
    )
    _show_waste(lived)
    remark(report.models_in_words(lived))
    from plugins.evaluation.peers.peer import missing_libraries

    if missing := " and ".join(missing_libraries()):
        remark(f"peers of {missing} were not played, for they are not installed; `pip install -e '.[peers]'` adds them")
    remark(f"kept as MLflow run {lived.run_id} of shelfprice-comparison")


def _show_waste(lived: Any) -> None:
    """Show what store days brought where stock lives over days."""
    from plugins.evaluation.as_shipped.shipped_report import waste_rows

    columns, rows = waste_rows(lived)
    if rows:
        show_table(
            "What a store day brought, and what was thrown away",
            columns,
            rows,
            "the clairvoyant knows demand, and prices by a recursion that is exact where units keep for a day, for two "
            "if all take the oldest, or for ever",
        )


def _shelf_or_classic(catalog: Catalog) -> Path:
    """Return the folder of the shelf to compare on: as named, that of a retailer's lake, or `classic`."""
    from catalog.load import CLASSIC
    from catalog.settings import read_settings
    from warehouse.query.advice import own_shelf

    return catalog or own_shelf(read_settings()) or CLASSIC


def _stores_of(lived: Any) -> str:
    fewest, most = (pick(day.count_stores for day in lived.days) for pick in (min, max))
    if fewest < most:
        return f"{fewest} to {most} stores"
    return "one store" if most == 1 else f"{most} stores"


COMMANDS = (compare,)
