"""The commands of drawn prices: plan an experiment, and say what draws earned."""

from typing import Annotated

import typer

from flows.cli.command import Catalog, Json, Through, command, date_of, not_empty, text_of
from flows.cli.program import NOTHING_CHANGED
from plugins.own_store.drawn_report import show_coin, show_earned, show_experiments, show_plan, show_withdrawn


@command("models", when_stopped=NOTHING_CHANGED)
def experiment(
    step: Annotated[
        float | None, typer.Option(min=0.01, max=0.2, help="How far a coin goes up or down, such as 0.05.")
    ] = None,
    weeks: Annotated[int, typer.Option(min=2, max=104, help="How many weeks it lasts.")] = 10,
    products: Annotated[
        str | None, typer.Option(metavar="A,B", help="Its products.", show_default="the whole shelf")
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(callback=not_empty, help="Why, for the record.", show_default="to learn demand"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it could tell, and plan nothing.")] = False,
    outcome: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="Say what an experiment has told so far.")
    ] = None,
    withdraw: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="End an experiment with the next night; needs --reason.")
    ] = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Plan an experiment in outside stores: a fair coin moves prices a step up or down, by week and store.

    Without --step, it lists what was planned. --dry-run says what it could tell, before you decide. Nights draw its
    prices, within the guardrails and `drawn_prices` of store.yaml. --outcome says what it told, from the coin alone.
    --withdraw ends one: the next night brings its products back to their own prices, within the largest step.

    For example:
      shelfprice experiment --step 0.05 --weeks 10 --products MILK,EGGS --dry-run
      shelfprice experiment --step 0.05 --weeks 10 --products MILK,EGGS
      shelfprice experiment --outcome 1
      shelfprice experiment --withdraw 1 --reason "the summer sale begins"
    """
    from flows.workspace import open_workspace
    from plugins.own_store.draws.experiments import experiment_of, experiments_in, new_experiment, plan
    from plugins.own_store.draws.experiments import withdraw as end
    from plugins.own_store.experiment import outcome_of, power_of

    if withdraw is not None and reason is None:
        raise typer.BadParameter("expected --reason with --withdraw, found none; nothing was withdrawn: say why")
    with experiment.working():
        workspace = open_workspace(text_of(catalog))
        if withdraw is not None and reason is not None:
            ended = end(workspace, withdraw, reason)
        elif outcome is not None:
            found = outcome_of(workspace.lake, experiment_of(workspace.lake, outcome))
        elif step is not None:
            skus = None if products is None else tuple(name.strip() for name in products.split(","))
            new = new_experiment(workspace, step, weeks, skus, reason or "to learn demand")
            power = power_of(workspace.lake, workspace.catalog, new)
            if not dry_run:
                plan(workspace, new)
    if withdraw is not None:
        show_withdrawn(ended, as_json=as_json)
    elif outcome is not None:
        show_coin(found, as_json=as_json)
    elif step is not None:
        show_plan(new, power, is_planned=not dry_run, as_json=as_json)
    else:
        show_experiments(experiments_in(workspace.lake), as_json=as_json)


@command("models")
def earned(through: Through = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Say what drawn prices brought against your own: euros, percent, and a 95 % interval.

    A share of product weeks, drawn by the seed, stays at your own prices (`drawn_prices.held_share` in store.yaml). The
    others are compared with them, for the chain, each week, each category and each store. An open interval says that
    too few were held to know. Where stock lives over days and is told, what was thrown away is compared, too. See
    docs/connect-a-store.md. Below stands what came of prices that people set or approved, beside what was predicted.
    """
    from flows.workspace import open_workspace
    from plugins.own_store.earned import earned_by_draws
    from warehouse.query.questions import newest_effects

    with earned.working():
        workspace = open_workspace(text_of(catalog))
        effects = newest_effects(workspace.settings) if workspace.lake.exists() else []
        is_drawn = workspace.lake.dates("price_draws") or not effects
        found = earned_by_draws(workspace, date_of(through)) if is_drawn else None
    show_earned(found, effects, as_json=as_json)


COMMANDS = (experiment, earned)
