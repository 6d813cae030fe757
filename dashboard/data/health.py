"""What is missing or out of order, each with the command that mends it."""

import datetime as dt
from dataclasses import dataclass

import pandas as pd
from dash.development.base_component import Component

from dashboard.components import Mood, notice
from dashboard.data.store_day import DayNow


@dataclass(frozen=True)
class Notice:
    """One thing to know before the page is believed; `command` mends it, None where there is none."""

    title: str
    text: str
    mood: Mood
    command: str | None = None


@dataclass(frozen=True)
class ModelNow:
    """A judged version: its calibration error (share), the days since its last training day, and the gate's verdict."""

    version: str
    calibration_error: float
    age_days: int
    promoted: bool


def model_behind(models: pd.DataFrame, now: DayNow | None, date: dt.date) -> ModelNow | None:
    """Return the judged version that priced a day, with its age on `date`; None when no model did."""
    found = models[models["version"] == now.model_version] if now else models[:0]
    if not len(found):
        return None
    model = found.iloc[0]
    age = (pd.Timestamp(date) - pd.Timestamp(model["trained_through"])).days
    return ModelNow(str(model["version"]), float(model["calibration_error"]), age, bool(model["promoted"]))


def notices(
    models: pd.DataFrame, books: list[dt.date], shown: dt.date, *, kill_switch: bool, catalog_error: str | None = None
) -> list[Notice]:
    """Say what is out of order with the prices of a day.

    Parameters
    ----------
    models
        The rows of `models`: every judged version, the newest first.
    books
        Business dates that a price book was made for, ascending.
    shown
        The business date that is shown.
    kill_switch
        Whether the catalog holds all prices at their base.
    catalog_error
        Why the catalog cannot be used, if it cannot.
    """
    found = []
    if catalog_error:
        found.append(Notice("The catalog cannot be used; the one read before stays in force", catalog_error, "problem"))
    if kill_switch:
        text = "Every product is sold at its base price and nothing is tried, until the switch is off in store.yaml."
        found.append(Notice("The kill switch is on", text, "problem", "guardrails: {kill_switch: false}"))
    if not len(models):
        text = "Prices are base prices with some tried on purpose, until a first model has been trained and accepted."
        found.append(Notice("No model yet", text, "info", "shelfprice pipeline"))
    elif not models["promoted"].any():
        text = "The gate has accepted no model so far; the Models page says why. More days at varied prices help."
        found.append(Notice("No champion yet", text, "warning", "shelfprice simulate --days 7 && shelfprice train"))
    elif not books or books[-1] < shown:
        since = f"The newest price book is for {books[-1]}" if books else "There is a champion but no price book"
        text = f"{since}, and {shown} is shown: the prices learned before hold."
        found.append(Notice("Prices are stale", text, "warning", f"shelfprice price --for {shown}"))
    return found


def tell(found: list[Notice]) -> list[Component]:
    """Show notices above a page."""
    return [notice(one.title, one.text, command=one.command, mood=one.mood) for one in found]
