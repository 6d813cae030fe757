"""The names of the features of a context, and what holds where the catalog or the lake no longer names one."""

from collections.abc import Iterable

import pandas as pd

_MEASURED = frozenset({"size", "temperature", "days_since_pay_day"})
"""Columns that are unknown where nobody said them; any other that is absent does not hold."""

_OF_A_DAY = (
    *("weekday", "is_weekend", "is_holiday", "is_day_before_holiday"),
    *("days_since_pay_day", "size", "temperature"),
)
_BEYOND_CALENDAR = ("is_holiday", "is_day_before_holiday", "days_since_pay_day", "temperature")
_EVENT = "event_"
_LABELS = ("store_", "region_", "tag_", _EVENT, "category_")
HOUR = "hour"


def is_context(feature: str) -> bool:
    """Tell whether a feature belongs to the context: not to the price, the stock or the product."""
    return feature == HOUR or feature in _OF_A_DAY or _is_label(feature)


def looks_at_context(features: Iterable[str]) -> bool:
    """Tell whether a model with some features must be told the context that it is asked about."""
    return any(is_context(feature) for feature in features)


def known_beyond_the_calendar(feature: str) -> bool:
    """Tell whether a feature says of a day, alike for all products, what its weekday does not."""
    return feature in _BEYOND_CALENDAR or feature.startswith(_EVENT)


def asked_of(rows: pd.DataFrame, features: Iterable[str]) -> pd.DataFrame:
    """Return rows with the labels and measures of a model that the catalog and the lake no longer name.

    A label that nobody names does not hold, and a measure is unknown.
    """
    gone = [name for name in features if name not in rows.columns]
    filled = {name: float("nan") if name in _MEASURED else 0.0 for name in gone if name in _MEASURED or _is_label(name)}
    return rows.assign(**filled) if filled else rows


def _is_label(name: str) -> bool:
    return name.startswith(_LABELS)
