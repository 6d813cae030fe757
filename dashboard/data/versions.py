"""Judged model versions in words, what their curves predicted against what shoppers did, and MLflow's pages of them.

A day's curves are made before the day begins, so the day's decisions are evidence that the model had not seen.
"""

import datetime as dt
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from catalog.metrics import METRICS, Metric, calibration_table, wilson
from catalog.names import REGISTERED_MODEL, Outcome, outcome_of
from catalog.settings import Settings

Status = Literal["champion", "was champion", "waits", "refused"]

_BY_NAME = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class AskedByGate:
    """One condition of the gate, whether it was met, and what was found."""

    name: str
    met: bool
    found: str


@dataclass(frozen=True)
class Version:
    """One judged version.

    Attributes
    ----------
    number, candidate
        Version in the registry, and the model family it belongs to.
    run_id, training_run_id
        MLflow runs of the model and of the training it won; the training's run holds its figures.
    metrics, candidates
        Judged metrics, and those of every candidate of its training, by name.
    promoted, was_champion
        Whether the gate made it champion, and whether it ever was, by the gate or by a person.
    conditions
        What the gate asked.
    money
        Estimated gain of its prices, as the gate saw it; None without an estimate.
    """

    number: str
    candidate: str
    run_id: str
    training_run_id: str
    trained_through: dt.date
    judged_through: dt.date
    metrics: dict[str, float]
    candidates: dict[str, dict[str, float]]
    promoted: bool
    is_champion: bool
    was_champion: bool
    conditions: tuple[AskedByGate, ...]
    money: dict[str, Any] | None
    decided_at: dt.datetime

    @property
    def outcome(self) -> Outcome:
        """What the gate said: `promoted`, `waits` or `refused`."""
        if self.promoted:
            return "promoted"
        unmet = [condition.name for condition in self.conditions if not condition.met]
        return "waits" if outcome_of(unmet) == "waits" else "refused"

    @property
    def sentence(self) -> str:
        """What the gate said and what followed, as a sentence without its full stop."""
        if self.outcome == "promoted":
            return f"all {len(self.conditions)} conditions are met; version {self.number} became champion"
        unmet = sum(not condition.met for condition in self.conditions)
        few = "one condition is not met" if unmet == 1 else f"{unmet} conditions are not met"
        if self.outcome == "waits":
            return f"{few}: version {self.number} is sound but not shown to be better, so it waits"
        return f"{few}, so version {self.number} was refused"

    @property
    def status(self) -> Status:
        """Where the version stands: champion now, champion once, or why it never was."""
        if self.is_champion:
            return "champion"
        if self.was_champion or self.outcome == "promoted":
            return "was champion"
        return self.outcome


def versions_of(rows: pd.DataFrame) -> tuple[Version, ...]:
    """Return the versions, the newest first, from rows of the query `judged_versions`."""
    return tuple(_version(row) for row in rows.to_dict(orient="records"))


def champion_of(versions: Sequence[Version]) -> Version | None:
    """Return the champion, or None when no version was promoted."""
    return next((version for version in versions if version.is_champion), None)


def metrics_of(versions: Sequence[Version]) -> tuple[Metric, ...]:
    """Return every metric that a version was judged by: the known ones in their order, then the others."""
    named = dict.fromkeys(name for version in versions for name in version.metrics)
    metrics = tuple(metric for metric in METRICS if metric.name in named)
    others = (Metric(name, name.replace("_", " ").capitalize(), None, "") for name in named if name not in _BY_NAME)
    return (*metrics, *others)


def _version(row: dict[Any, Any]) -> Version:
    money = row.get("money")
    return Version(
        number=str(row["version"]),
        candidate=str(row["candidate"]),
        run_id=str(row["run_id"]),
        training_run_id=str(row["training_run_id"]),
        trained_through=pd.Timestamp(row["trained_through"]).date(),
        judged_through=pd.Timestamp(row["judged_through"]).date(),
        metrics=json.loads(row["metrics"]),
        candidates=json.loads(row["candidates"]),
        promoted=bool(row["promoted"]),
        is_champion=bool(row["is_champion"]),
        was_champion=bool(row["is_or_was_champion"]),
        conditions=tuple(
            AskedByGate(str(reason["condition"]), bool(reason["met"]), str(reason["found"]))
            for reason in json.loads(row["reasons"])
        ),
        money=json.loads(money) if isinstance(money, str) else None,
        decided_at=pd.Timestamp(row["decided_at"]).to_pydatetime(),
    )


_BUCKETS = 10
_COUNTS = ["n_offered", "n_purchased"]


def predicted(curves: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Return the observed rows with the chance of sale that the day's curve gave their price.

    Between two candidates the curve is read along a straight line; prices outside its range are left out.

    Parameters
    ----------
    curves
        `business_date`, `sku`, `price` (EUR), `p_sale` and `model_version`.
    observed
        `business_date`, `sku`, `price_offered` (EUR), `n_offered` and `n_purchased`.
    """
    of_day = dict(list(curves.groupby(["business_date", "sku"])))
    notes = []
    for day, rows in observed.groupby(["business_date", "sku"]):
        curve = of_day.get(day)
        if curve is not None:
            chance = np.interp(rows["price_offered"], curve["price"], curve["p_sale"], left=np.nan, right=np.nan)
            notes.append(rows.assign(p_sale=chance, model_version=curve["model_version"].iloc[0]))
    if not notes:
        return observed.iloc[:0].assign(p_sale=np.array([], dtype=float), model_version=np.array([], dtype=object))
    return pd.concat(notes).dropna(subset=["p_sale"])


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows' calibration table, with `low` and `high`: the 95 % interval of the observed share."""
    table = calibration_table(rows["p_sale"].to_numpy(dtype=float), rows)
    low, high = wilson(table["bought"].to_numpy(dtype=float), table["decisions"].to_numpy(dtype=float))
    return table.assign(low=low, high=high)


def by_price(observed: pd.DataFrame) -> pd.DataFrame:
    """Return the observed share by price of one product, in at most ten buckets of equal width.

    Columns: `price` (EUR, the bucket's mean), `observed`, `low`, `high`, `decisions`.
    """
    prices = observed.groupby("price_offered", as_index=False)[_COUNTS].sum()
    few = len(prices) <= _BUCKETS
    bucket = pd.Series(range(len(prices))) if few else pd.cut(prices["price_offered"], _BUCKETS, labels=False)
    weighted = prices.assign(total=prices["price_offered"] * prices["n_offered"])
    sums = weighted.groupby(bucket)[["total", *_COUNTS]].sum()
    bought, offered = sums["n_purchased"].to_numpy(dtype=float), sums["n_offered"].to_numpy(dtype=float)
    low, high = wilson(bought, offered)
    return pd.DataFrame(
        {"price": sums["total"] / offered, "observed": bought / offered, "low": low, "high": high, "decisions": offered}
    ).reset_index(drop=True)


_PATIENCE = 0.2  # seconds
_PORTS = {"http": 80, "https": 443}


def mlflow_pages(settings: Settings) -> str | None:
    """Return the address of MLflow's pages, or None when nothing listens there.

    A registry that is a file has pages once `shelfprice up` serves it at the address of the settings.
    """
    served = settings.tracking_uri if settings.tracking_uri.startswith("http") else settings.mlflow.url
    parts = urlsplit(served)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or _PORTS[parts.scheme]), timeout=_PATIENCE):
            return served.rstrip("/")
    except OSError:
        return None


def version_link(pages: str, version: str) -> str:
    """Return the address of a registered version."""
    return f"{pages}/#/models/{REGISTERED_MODEL}/versions/{version}"


def run_link(pages: str, run_id: str) -> str:
    """Return the address of a run."""
    return f"{pages}/#/runs/{run_id}"
