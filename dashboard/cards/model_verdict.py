"""What a manager asks of the models first: which one prices, what that earns, and whether one was refused."""

from collections.abc import Sequence

import dash_mantine_components as dmc
import pandas as pd
from dash.development.base_component import Component

from catalog.names import AS_GOOD_AS_BELIEF, EARNS_MORE_THAN_BASE
from dashboard.components import card
from dashboard.data.versions import Version, champion_of
from dashboard.formats import day, euros

_BEFORE = {AS_GOOD_AS_BELIEF: "the belief without a model", EARNS_MORE_THAN_BASE: "base prices"}
_TWO_SIDED = 1.96  # standard errors of a 95 % interval


def model_verdict(versions: Sequence[Version], changes: pd.DataFrame, trainings: str | None = None) -> Component:
    """Say it in sentences, the most important in large type.

    Parameters
    ----------
    versions
        The newest first, at least one.
    changes
        Rows of the query `champion_history`.
    trainings
        Address of MLflow's page of them; None where nothing serves it.
    """
    champion, newest = champion_of(versions), versions[0]
    if champion is None:
        lines = ["No model sets prices: base prices stand, or the belief that learns from each hour."]
    else:
        lines = [
            f"Version {champion.number} sets prices, since {day(champion.decided_at)}.",
            f"When it was judged, {_gain(champion)}. {_earned(changes)}".strip(),
        ]
    if newest is not champion:
        lines.append(_fate(newest))
    refused = next((version for version in versions if version.outcome == "refused"), None)
    if refused is None:
        lines.append("No version was refused.")
    elif refused is not newest:
        lines.append(f"The last one refused: {_fate(refused)}")
    first, *others = lines
    told = [dmc.Text(first, className="verdict-first"), *(dmc.Text(line, className="verdict-line") for line in others)]
    link = dmc.Anchor("Every training in MLflow", href=trainings, target="_blank", size="sm") if trainings else None
    return card("What prices now", *told, right=link)


def _gain(version: Version) -> str:
    """Say what the gate expected a version to earn more than what priced before, on which it decided."""
    asked = {condition.name for condition in version.conditions}
    before = next((words for name, words in _BEFORE.items() if name in asked), "the champion of that day")
    believed = (version.money or {}).get("believed") or {}
    mean, spread = believed.get("mean"), believed.get("spread")
    if mean is None or spread is None:
        return f"what it would earn more than {before} was not known"
    low, high = mean - _TWO_SIDED * spread, mean + _TWO_SIDED * spread
    expected = f"{_more(mean)} a store day than {before}" if euros(abs(mean)) != euros(0) else f"as much as {before}"
    return f"it was expected to earn {expected}, with 95 % certainty between {_more(low)} and {_more(high)}"


def _more(amount: float) -> str:
    return f"{euros(abs(amount))} {'less' if amount < 0 else 'more'}"


def _earned(changes: pd.DataFrame) -> str:
    """Say what the champion sold a store day, and the one before it; empty before its first day."""
    sold = [row for row in changes.to_dict(orient="records") if row["count_store_days"] > 0]
    if not sold or sold[0]["change"] != changes["change"].max():
        return ""
    a_day = [euros(row["revenue_eur"] / row["count_store_days"]) for row in sold[:2]]
    before = f", on other days version {sold[1]['version']} sold for {a_day[1]}" if len(a_day) > 1 else ""
    return f"Since then it has sold for {a_day[0]} a store day{before}."


def _fate(version: Version) -> str:
    """Say what the gate said of a version that sets no prices, and why."""
    named, unmet = f"Version {version.number}", [condition for condition in version.conditions if not condition.met]
    if version.outcome == "refused":
        missed = f"{unmet[0].name} ({unmet[0].found})"
        return f"{named} was refused on {day(version.decided_at)}, for this is not met: {missed}."
    if version.outcome == "waits":
        return f"{named} is sound and waits: {_gain(version)}."
    return f"{named} was promoted on {day(version.decided_at)} and sets prices no longer."
