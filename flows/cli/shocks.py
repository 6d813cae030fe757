"""The command that scores how changes of demand are detected."""

from typing import Annotated

import typer

from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, text_of
from flows.cli.origin import admit
from flows.environment import orchestrated, prepare

Scenarios = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help='"quiet", "quiet and scarce", "budgets fall", "budgets rise", "one product", "slow slide", '
        '"second change", "doubled footfall" or "missed delivery". Repeatable, by default all of them.',
    ),
]
Seeds = Annotated[int, typer.Option(min=1, max=1_000, help="Number of seeds to repeat everything on.")]


def shocks(scenario: Scenarios = None, seeds: Seeds = 3, catalog: Catalog = None, as_json: Json = False) -> None:
    """Play scripted changes of demand; report the delay of detection, false alarms and the cost.

    A store that watches residuals is compared with one that never trains again. Every scenario is played day by day in
    a temporary lake; the scores are kept in this lake as drift_results, and in MLflow with a figure. Each seed plays
    hundreds of days.

    For example:
      shelfprice shocks --scenario "budgets fall" --seeds 1
    """
    from catalog.load import load
    from evaluation.worlds import asked_shocks as asked

    folder = text_of(catalog)
    shelf = load(catalog)
    asked(shelf, scenario or ())
    admit("twin")
    prepare()
    with orchestrated("flows.shocks"), progress_bars():
        from flows.shocks import play_shocks

        found = play_shocks(tuple(scenario or ()), seeds, folder)
    from evaluation.drift import drift_report as shock_report

    if as_json:
        emit(shock_report.as_json(found))
        return
    show_table(
        "Scripted changes of demand",
        [shelf.store.money.named(column) for column in shock_report.COLUMNS],
        shock_report.rows_of(found),
        f"means of {seeds} seeds; money is exact under true demand, against a clairvoyant, for all stores together",
    )
    remark(f"kept as MLflow run {found.run_id} of shelfprice-comparison, with a figure")
