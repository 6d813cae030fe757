"""The product in a world of its own: what priced each day, and what its gate said in the night after."""

import datetime as dt
import json
from dataclasses import dataclass

from catalog.gate import Outcome, outcome_of
from catalog.priced_by import PricedBy
from evaluation.as_shipped.records import Source
from evaluation.living_store import LivingStore
from training.registry import ModelRegistry
from warehouse.lake import Lake, Partition

_WITHOUT_LEARNING = ("static", "rule")


@dataclass(frozen=True)
class ShippedDay:
    """What the product earned on a date, EUR, all stores together, with what priced it and what the night judged."""

    gain_eur: float
    priced_by: Source
    model_version: str | None
    judged_version: str | None
    verdict: Outcome | None
    true_gain_eur: float | None


def live_date(store: LivingStore, date: dt.date) -> ShippedDay:
    """Sell a date and do the night after it."""
    sold = store.sell(date)
    source = source_of(sold.priced_by, store.registry)
    judged = store.night(date).judged_version
    verdict, true_gain = judged_in(store.workspace.lake, judged) if judged else (None, None)
    version = sold.priced_by.policy.model_version
    return ShippedDay(sold.gain_eur, source, version, judged, verdict, true_gain)


def source_of(priced_by: PricedBy, registry: ModelRegistry) -> Source:
    """Tell where prices came from: base prices or a rule on them, a belief alone, or a champion."""
    if priced_by.policy.name in _WITHOUT_LEARNING:
        return "base"
    version = priced_by.policy.model_version
    return "champion" if version is not None and registry.knows(version) else "belief"


def judged_in(lake: Lake, version: str) -> tuple[Outcome, float | None]:
    """Return the gate's verdict on a version and what its prices would truly gain, EUR per store day, where known."""
    row = lake.read(Partition("model_versions", None, f"v{version}")).to_pylist()[0]
    unmet = [condition["condition"] for condition in json.loads(row["reasons"]) if not condition["met"]]
    gain = json.loads(row["money"]) if row["money"] else {}
    return outcome_of(unmet), gain.get("truth")
