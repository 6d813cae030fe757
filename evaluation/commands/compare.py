"""The command that compares policies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.currency import Currency
from flows.cli.command import command
from flows.cli.console import emit, remark, show_table
from flows.cli.options import Catalog, Json, text_of

Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy", help="static, rule, prototype, greedy or stock_aware; repeatable, by default all of them."
    ),
]
Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help='"100 visits", 150, 200, 400 or 1000 of them; "two peaks, 200 visits" and the like; "popular product"; '
        '"mid-day shock". Repeatable, by default all of them.',
    ),
]
Decisions = Annotated[
    list[int] | None,
    typer.Option(min=100, max=1_000_000, help="Logged decisions to learn from; repeatable: 500, 2000 and 20000."),
]
Seeds = Annotated[int, typer.Option(min=1, max=1_000, help="Number of seeds to repeat everything on.")]
StoreDays = Annotated[int, typer.Option("--days", min=1, max=10_000, help="Store days to play in each match.")]
FirstDays = Annotated[
    int,
    typer.Option(
        min=0,
        max=3_650,
        help="Also play this many days of a store that starts without data, such as 60: its regret. With --as-shipped, "
        "how many days are lived, by default 60.",
    ),
]
AsShipped = Annotated[
    bool,
    typer.Option("--as-shipped", help="Play the product itself, gate and all, and its peers, from the first day on."),
]
Worlds = Annotated[
    list[str] | None,
    typer.Option(
        "--world",
        help='A world to live in, such as "classic" or "rich weekends", of those named above; means --as-shipped. '
        "Repeatable, by default all of them.",
    ),
]
Stores = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1_000,
        help="Stores of each world, at least its own, which share a belief and a price book; with --as-shipped, by "
        "default 1.",
    ),
]

_DAYS = 60  # as shipped


@command(
    when_stopped="stopped; no result was published: run the same command again to compare anew",
    flow="evaluation.flows",
    uses_registry=True,
    is_spread=True,
)
def compare(
    policy: Policies = None,
    scenario: Scenarios = None,
    decisions: Decisions = None,
    seeds: Seeds = 10,
    store_days: StoreDays = 60,
    first_days: FirstDays = 0,
    as_shipped: AsShipped = False,
    world: Worlds = None,
    stores: Stores = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Compare policies with what a clairvoyant would earn: from logs of several sizes, and on the same shoppers.

    The first table is exact: what prices learned from a log earn on average under the twin's true demand. The second
    is played: every policy meets the same shoppers, store day by store day. Both are kept in the lake as
    learning_results and policy_results, and in MLflow with their plots. Both leave the gate out. The shelf is that of
    the catalog, by default classic, and full each morning.

    With --as-shipped the product lives the first days of a store through the very functions of its nights, the gate
    included, beside its belief alone (no forest is trained), learners from the literature, those that
    pybandits and bayesianbandits ship (where the extra `peers` is installed) and the owner's price, all on the same
    shoppers. Every day is kept as regret_by_day.

    Worlds without context, in which demand does not depend on when and where shoppers come: "classic", "200 visits",
    "400 visits", "two peaks", "narrow budgets", "own curves", "uneven days", "waiting shoppers", "three segments",
    "wide prices", "small shelves", "rich and poor", "fresh", "substitutes", "fall in visits", "fall in budgets",
    "popular product", "own peaks", "cliffs", "two to four units", "best base prices, 400 visits",
    "best base prices, 60 visits", "bought by 15 %", "bought by 30 %", "bought by 70 %", "bought by 97 %".

    Worlds with context, in which it does: "rich weekends", "poor evenings", "shifting days", "rich and poor stores",
    "holidays", "pay days", "hot days".

    For example:
      shelfprice compare --seeds 3 --days 20
      shelfprice compare --policy greedy --policy stock_aware
      shelfprice compare --as-shipped --world classic --first-days 14 --seeds 3
    """
    if as_shipped or world:
        if policy or scenario or decisions:
            raise typer.BadParameter(
                "--policy, --scenario and --decisions are for policies that learn from a log, and --as-shipped plays "
                "whole learners; nothing was played: leave one side out, and name worlds with --world"
            )
        _compare_as_shipped(world or [], first_days or _DAYS, seeds, stores or 1, catalog, as_json=as_json)
        return
    if stores is not None:
        raise typer.BadParameter("--stores belongs to --as-shipped; nothing was played: add --as-shipped or a --world")
    from catalog.load import load
    from evaluation.worlds import DECISIONS, POLICIES
    from evaluation.worlds import asked_comparison as asked

    named = _shelf_or_classic(catalog)
    folder, shelf = text_of(named), load(named)
    asked(shelf, policy or POLICIES, scenario or ())
    with compare.working():
        from evaluation.flows import compare as flow

        sizes = tuple(sorted(set(decisions or DECISIONS)))
        found = flow(tuple(policy or POLICIES), tuple(scenario or ()), sizes, seeds, store_days, first_days, folder)
    if as_json:
        from evaluation.comparison_report import as_json as record_of

        emit(record_of(found))
        return
    _show(found, seeds, store_days, shelf.store.money)


def _compare_as_shipped(
    worlds: Sequence[str], days: int, seeds: int, stores: int, catalog: Catalog, *, as_json: bool
) -> None:
    """Live the first days of worlds, and show what the product and its peers lost."""
    from catalog.load import load
    from evaluation.learner_worlds import asked_worlds

    named = _shelf_or_classic(catalog)
    folder = text_of(named)
    asked_worlds(worlds, load(named))
    with compare.working():
        from evaluation.flows import compare_as_shipped as flow

        found = flow(tuple(worlds), days, seeds, stores, folder)
    from evaluation.as_shipped import shipped_report as report

    if as_json:
        emit(report.as_json(found))
        return
    show_table(
        f"Regret as shipped, % of what the clairvoyant earned, {_stores_of(found)}",
        *report.regret_rows(found),
        f"{seeds} seeds; every learner met the same shoppers, none began with a log; worst week in points, over 0 "
        "where the owner's price earned more",
        lesser=("worst week against the owner's price",),
    )
    show_table(
        "The product's regret less that of the best peer, points",
        *report.peer_rows(found),
        "below 0 the product lost less; paired over seeds, with the 95 % interval",
    )
    gate = report.gate_rows(found)
    show_table(
        "How soon the product priced, and what its gate did",
        *gate,
        "nights and amounts are means over seeds, counts are sums; falsely: truly 1 % worse or more; clearly: truly "
        "3 % better or more",
        lesser=(gate[0][-1], gate[0][-2], gate[0][1]),
    )
    _show_waste(found)
    remark(report.models_in_words(found))
    from evaluation.peers.peer import missing_libraries

    if missing := " and ".join(missing_libraries()):
        remark(f"peers of {missing} were not played, for they are not installed; `pip install -e '.[peers]'` adds them")
    remark(f"kept as MLflow run {found.run_id} of shelfprice-comparison, with a plot")


def _show_waste(found: Any) -> None:
    """Show what store days brought where stock lives over days."""
    from evaluation.as_shipped.shipped_report import waste_rows

    columns, rows = waste_rows(found)
    if rows:
        show_table(
            "What a store day brought, and what was thrown away",
            columns,
            rows,
            "upper bound: no seller can earn more on average; the clairvoyant knows demand, and prices by a recursion "
            "that is exact where units keep for a day, for two if all take the oldest, or for ever",
        )


def _shelf_or_classic(catalog: Catalog) -> Path:
    """Return the folder of the shelf to compare on: as named, that of a retailer's lake, or `classic`."""
    from catalog.load import CLASSIC
    from catalog.settings import read_settings
    from warehouse.advice import own_shelf

    return catalog or own_shelf(read_settings()) or CLASSIC


def _stores_of(found: Any) -> str:
    fewest, most = (pick(day.count_stores for day in found.days) for pick in (min, max))
    if fewest < most:
        return f"{fewest} to {most} stores"
    return "one store" if most == 1 else f"{most} stores"


def _show(found: Any, seeds: int, store_days: int, money: Currency) -> None:
    from evaluation import comparison_report as report

    show_table(
        "Share of the clairvoyant, %, by logged decisions",
        *report.learning_rows(found),
        f"exact under true demand; mean of the products and of {seeds} seeds, with the 95 % interval of the mean; the "
        "gate is left out",
    )
    columns, rows = report.match_rows(found)
    show_table(
        f"Played after {max(match.decisions for match in found.matches):,} decisions, per store day",
        [money.format_title(column) for column in columns],
        rows,
        f"share of what the clairvoyant earned; {seeds} seeds of {store_days} store days; every policy met the same "
        "shoppers; lost visits found an empty shelf; the gate is left out",
        money=[money.format_title(column) for column in ("revenue, EUR", "mean price, EUR")],
        digits=money.digits,
        lesser=("repricings", "products sold out", "lost visits"),
    )
    if found.first_days:
        show_table(
            "Regret, % of what the clairvoyant earned, while a store learns from its own decisions",
            *report.regret_rows(found),
            f"200 visits to each product for 100 units, {seeds} seeds; a week of exploring, then on a budget; the gate "
            "is left out",
        )
    remark(f"kept as MLflow run {found.run_id} of shelfprice-comparison, with plots")


COMMANDS = (compare,)
