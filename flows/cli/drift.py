"""Commands about drift: whether the champion still holds, and a scorecard of scripted changes."""

from typing import Annotated

import typer

from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.loop import Through
from flows.cli.options import Catalog, Json, text_of
from flows.environment import orchestrated, prepare

Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help='"quiet", "quiet and scarce", "budgets fall", "budgets rise", "one product", "slow slide", '
        '"second change", "doubled footfall" or "missed delivery". Repeatable, by default all of them.',
    ),
]
Seeds = Annotated[int, typer.Option(min=1, max=1_000, help="Worlds to repeat everything on.")]


def drift(through: Through = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Check whether shoppers still answer prices as the champion says, and announce each change once.

    What is checked is kept in the lake as drift_checks, one row per day and product. An announcement is the event
    shelfprice.drift.detected, which starts a training while `shelfprice up` runs; the next training learns from the
    days since the change.
    """
    prepare()
    with orchestrated(), progress_bars():
        from flows.drift import watch_drift

        watched = watch_drift(through.date() if through else None, text_of(catalog))
    columns = ["product", "since", "seen on", "buy", "residual before", "residual after"]
    rows = [
        [found.sku, found.since, found.business_date, found.direction, round(found.before, 4), round(found.after, 4)]
        for found in watched.standing
    ]
    if as_json:
        emit(
            {
                "champion": watched.champion,
                "through": watched.through,
                "unchecked": watched.unchecked,
                "since": watched.since,
                "announced": sorted({found.sku for found in watched.new}),
                "standing": [vars(found) for found in watched.standing],
            }
        )
        return
    if watched.unchecked:
        remark(f"nothing was checked: {watched.unchecked}")
    elif not rows:
        remark(f"champion {watched.champion} holds: every product is bought as it says, through {watched.through}")
    else:
        show_table(f"Champion {watched.champion} no longer holds", columns, rows, "train to learn from the days since")


def shocks(scenario: Scenarios = None, seeds: Seeds = 3, catalog: Catalog = None, as_json: Json = False) -> None:
    """Play scripted changes of demand, and say when each was seen, how often for nothing, and what it cost.

    A store that watches residuals stands beside one that follows the first demo's rule (of the last 50 calls fewer than
    half were right) and one that never learns again. Every world is played day by day in a temporary lake; the score is
    kept in this one as drift_results, and in MLflow with a figure. Each seed plays hundreds of days.
    """
    prepare()
    with orchestrated(), progress_bars():
        from flows.shocks import play_shocks

        found = play_shocks(tuple(scenario or ()), seeds, text_of(catalog))
    from evaluation.drift import report as shock_report

    if as_json:
        emit(shock_report.as_json(found))
        return
    show_table(
        "Scripted changes of demand",
        shock_report.COLUMNS,
        shock_report.rows_of(found),
        f"means of {seeds} seeds; money is exact under true demand, against a clairvoyant, for all stores together",
    )
    remark(f"kept as MLflow run {found.run_id} of shelfprice-comparison, with a figure")
