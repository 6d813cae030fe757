"""Judge a challenger: a trial in a fresh process, what its prices gain, the champion beside it, and the gate."""

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from prefect import task

from catalog.arrays import Floats
from catalog.errors import ModelError
from features.cells import feature_workbench
from features.price_response import PriceResponse, at_base_price
from features.shifts import demand_shifts
from flows.edge import COMPUTES, Surroundings
from serving.champion import Champion
from serving.day_curves import responses_to_judge_by
from simulation.truth import chance_on
from training.dataset import Dataset
from training.gain import Challenger, gain_over
from training.gate import Incumbent, Verdict, pass_gate
from training.load_check.process import FreshProcess
from training.off_policy import OffPolicyEstimate
from training.promotion.history import newest
from warehouse.lake import Lake


@task(**COMPUTES)
def judge_challenger(
    around: Surroundings,
    dataset: Dataset,
    challenger: Challenger,
    champion: Champion | None,
    folder: Path,
    fresh: FreshProcess,
) -> tuple[Verdict, OffPolicyEstimate | None, tuple[PriceResponse, ...]]:
    """Try the stored model in a fresh process, estimate what its prices gain, and ask the gate.

    Exported prices were not drawn by lot, so from them no gain is estimated but the response to them.
    """
    fitted, holdout = challenger.fitted, dataset.holdout
    with feature_workbench(around.settings) as connection:
        responses, money = responses_to_judge_by(connection, around.catalog, dataset), None
        if not responses:
            is_known = came_from_the_twin(around.lake, dataset)
            money = gain_over(connection, around.catalog, dataset, challenger, champion, is_known=is_known)
        asked = replace(dataset, holdout=at_base_price(holdout)) if responses else dataset
        incumbent = None if champion is None else incumbent_of(connection, champion, asked)
    trial = fresh.judge(folder, fitted.features, holdout, fitted.p_sale(holdout))
    last_change = newest(around.lake)
    verdict = pass_gate(
        fitted,
        dataset,
        around.catalog.skus,
        trial=trial,
        money=money,
        champion=incumbent,
        stale_after_days=around.catalog.store.gate.stale_after_days,
        rolled_back_on=last_change.prices_from if last_change and last_change.action == "rolled_back" else None,
        responses=responses,
    )
    return verdict, money, responses


def incumbent_of(connection: duckdb.DuckDBPyConnection, champion: Champion, dataset: Dataset) -> Incumbent:
    """Return the champion as the gate sees it: its chances, its age, and whether its demand still holds."""
    against = demand_shifts(connection, dataset.judged_through, champion.version)
    drifted_since = against[-1] if against else None
    return Incumbent(champion_chances(champion, dataset), champion.trained_through, drifted_since)


def true_chances(around: Surroundings, dataset: Dataset) -> Floats | None:
    """Return the true chance of sale of each held-out cell, or None where the twin did not make the decisions."""
    if not came_from_the_twin(around.lake, dataset):
        return None
    holdout = dataset.holdout
    positions = {sku: position for position, sku in enumerate(around.catalog.skus)}
    truth = np.empty(len(holdout))
    for stamp, rows in holdout.groupby("business_date").indices.items():
        cells = holdout.iloc[rows]
        ratios = np.broadcast_to(cells["price_ratio"].to_numpy(), (len(positions), len(cells)))
        chances = chance_on(around.catalog, pd.Timestamp(str(stamp)).date(), ratios)
        truth[rows] = chances[cells["sku"].map(positions).to_numpy(), np.arange(len(cells))]
    return truth


def came_from_the_twin(lake: Lake, dataset: Dataset) -> bool:
    """Tell whether every held-out decision has a receipt with a seed: only the twin's have one."""
    receipts = [
        lake.receipt(partition)
        for partition in lake.partitions("interactions")
        if partition.business_date and dataset.trained_through < partition.business_date <= dataset.judged_through
    ]
    return bool(receipts) and all(receipt is not None and receipt.is_of_the_twin for receipt in receipts)


def champion_chances(champion: Champion, dataset: Dataset) -> Floats | None:
    """Return the champion's chance of sale on the held-out cells, or None when it does not know this shelf."""
    try:
        return champion.p_sale(dataset.holdout)
    except ModelError:
        return None  # a champion of another shelf cannot be compared
