"""The command that lets two policies take turns in the stores."""

import datetime as dt
from typing import Annotated, Literal

import typer

from flows.cli.command import RUN_AGAIN, command
from flows.cli.console import emit, remark, say, show_table
from flows.cli.failures import admit
from flows.cli.options import Catalog, Json, Seed, date_of, date_option, refuse_beyond_calendar, text_of

A = Annotated[str, typer.Option("--a", metavar="POLICY", help="static, rule, greedy, or stock_aware: the price book.")]
B = Annotated[str, typer.Option("--b", metavar="POLICY", help="The other policy, out of the same.")]
Days = Annotated[int, typer.Option(min=2, max=3_650, help="Number of business dates; even, for days are paired.")]
Stores = Annotated[
    int | None, typer.Option(min=1, max=1_000, help="Number of stores; by default those of the catalog.")
]
Unit = Annotated[
    Literal["day", "hours"],
    typer.Option(
        help="What takes turns: whole store days, without bias; or blocks of hours, biased where stock is scarce."
    ),
]
Hours = Annotated[
    int | None,
    typer.Option(min=1, max=12, help="Hours of a block with --unit hours; by default 2.", show_default=False),
]
Washout = Annotated[int, typer.Option(min=0, max=96, help="Ticks that do not count after a switch, with --unit hours.")]
First = Annotated[dt.datetime | None, date_option(help="First business date; by default the day after the newest.")]
Explore = Annotated[
    bool, typer.Option("--explore", help="Let both explore as the catalog says; by default neither does.")
]
Variation = Annotated[
    float | None,
    typer.Option(min=0.0, max=10.0, help="For the plan: a store day's standard deviation over its mean, such as 0.1."),
]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Say what the trial could detect, and sell nothing.")]


@command("models", when_stopped=RUN_AGAIN, flow="evaluation.flows", is_spread=True)
def trial(
    a: A = "static",
    b: B = "stock_aware",
    days: Days = 14,
    stores: Stores = None,
    unit: Unit = "day",
    hours: Hours = None,
    washout: Washout = 1,
    seed: Seed = 7,
    start: First = None,
    explore: Explore = False,
    variation: Variation = None,
    plan: PlanOnly = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Let two policies take turns in the stores, and say what B earns more than A, with a 95 % interval.

    Days of a store are paired, by weekday in each fortnight, and a seeded coin says which policy sells which. Before it
    starts, the trial says which difference it can detect with 80 % power. Its days are sold on the twin after the
    newest ones, as ordinary days of the lake; the result is kept in trials and trial_blocks, and shown on the Policies
    page. Named again with its --start, a trial sells nothing twice.

    For example:
      shelfprice trial --a static --b stock_aware --plan
      shelfprice trial --a static --b rule --days 28 --stores 10
      shelfprice trial --unit hours --hours 2 --washout 1
    """
    from evaluation.trial.arms import refuse_pair
    from evaluation.trial.hold_trial import TrialRequest as Asked

    if hours is not None and unit == "day":
        raise typer.BadParameter("expected --unit hours with it, found whole days", param_hint="'--hours'")
    if start is not None:
        refuse_beyond_calendar(start, days)
    refuse_pair(a, b)
    block = (hours or 2) if unit == "hours" else None
    asked = Asked(a, b, days, stores, block, washout, seed, date_of(start), explore, variation)
    folder = text_of(catalog)
    admit("twin", catalog)
    from evaluation.trial import trial_report as report

    if plan:
        from evaluation.trial.hold_trial import plan_trial
        from flows.workspace import open_workspace

        planned = plan_trial(open_workspace(folder, for_the_twin=True), asked)
        if as_json:
            emit(report.plan_as_json(planned))
            return
        say(planned.sentence)
        remark("nothing was sold: leave --plan out to begin")
        return
    with trial.working():
        from evaluation.flows import trial as flow

        found = flow(asked, folder)
    if as_json:
        emit(report.as_json(found))
        return
    name, design = found.planned.trial.name, found.planned.trial.design
    title = f"Trial {name}: {design.days} days of {len(design.stores)} stores from {design.start}"
    columns, digits = report.columns_of(found), found.planned.money.digits
    show_table(title, columns, report.rows_of(found), money=columns[1:2], digits=digits)
    say(report.verdict(found))


COMMANDS = (trial,)
