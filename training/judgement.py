"""Judge a challenger: what its prices gain, the champion beside it, and everything else that the gate reads."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb

from catalog.arrays import Floats
from catalog.errors import ModelError
from etl.business_dates import ONE_DAY
from features.cells import feature_workbench
from features.response import at_base_price
from features.shifts import demand_shifts
from serving.champion import Champion
from serving.day_curves import dates_known_from, first_date_known_from, read_for, responses_to_judge_by
from training.conditions.condition import Condition
from training.dataset import Dataset
from training.gain import Challenger, gain_over
from training.gate import GateInput, Incumbent
from training.promotion.history import newest
from training.truth import is_known
from warehouse.lake import Lake
from warehouse.proof import Span, prove
from warehouse.workspace import Workspace


def gate_input(
    workspace: Workspace,
    dataset: Dataset,
    challenger: Challenger,
    champion: Champion | None,
    load_check: Condition,
) -> GateInput:
    """Estimate what the challenger's prices gain, and gather what the gate judges by.

    Exported prices were not randomised, so from them no gain is estimated but the response to them.
    """
    catalog, days = workspace.catalog, (dataset.trained_through, dataset.judged_through)
    prove(workspace.lake, _read_to_judge(workspace.lake, dataset, (challenger, champion)))
    known_from = dates_known_from(workspace.lake, (challenger, champion), dataset.judged_through)
    with feature_workbench(workspace.settings, within=known_from) as connection:
        responses, gain = responses_to_judge_by(connection, catalog, *days), None
        if not responses:
            known = is_known(workspace, dataset)
            gain = gain_over(connection, catalog, dataset, challenger, champion, is_known=known)
        asked = replace(dataset, holdout=at_base_price(dataset.holdout)) if responses else dataset
        incumbent = None if champion is None else incumbent_of(connection, champion, asked)
    last_change = newest(workspace.lake)
    return GateInput(
        challenger.fitted,
        dataset,
        catalog.skus,
        load_check=load_check,
        gain=gain,
        incumbent=incumbent,
        stale_after_days=catalog.store.gate.stale_after_days,
        rolled_back_on=last_change.prices_from if last_change and last_change.action == "rolled_back" else None,
        responses=responses,
        belief_prices=catalog.store.policies.before_champion == "belief",
        money=catalog.store.money,
    )


def _read_to_judge(lake: Lake, dataset: Dataset, models: tuple[Challenger, Champion | None]) -> Iterator[Span]:
    """Yield what the gate's findings are read from: the held-out visits, the checks, and what prices are made from."""
    yield Span("interactions", dataset.trained_through + ONE_DAY, dataset.judged_through)
    yield Span("drift_checks", first_date_known_from(models, dataset.judged_through), dataset.judged_through)
    for model in models:
        yield from read_for(lake, model, dataset.judged_through + ONE_DAY)


def incumbent_of(connection: duckdb.DuckDBPyConnection, champion: Champion, dataset: Dataset) -> Incumbent:
    """Return the champion as the gate sees it: its chances, its age, and whether its demand still holds."""
    against = demand_shifts(connection, dataset.judged_through, champion.version)
    drifted_since = against[-1] if against else None
    return Incumbent(champion_chances(champion, dataset), champion.trained_through, drifted_since)


def champion_chances(champion: Champion, dataset: Dataset) -> Floats | None:
    """Return the champion's chance of sale on the held-out cells, or None when it does not know this shelf."""
    try:
        return champion.p_sale(dataset.holdout)
    except ModelError:
        return None  # a champion of another shelf cannot be compared
