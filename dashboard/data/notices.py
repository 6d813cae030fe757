"""What is missing or out of order with the prices of a day, each with the command that mends it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.data.versions import Version

Mood = Literal["info", "warning", "problem"]


@dataclass(frozen=True)
class Notice:
    """One thing to know before the page is believed; `command` mends it, None where there is none."""

    title: str
    text: str
    mood: Mood
    command: str | None = None


def notices(
    versions: Sequence[Version],
    books: list[dt.date],
    shown: dt.date,
    *,
    kill_switch: bool,
    catalog_problem: str | None = None,
) -> list[Notice]:
    """Say what is out of order with the prices of a day.

    Parameters
    ----------
    versions
        Every judged version.
    books
        Business dates that a price book was made for, ascending.
    shown
        The business date that is shown.
    kill_switch
        Whether the catalog holds all prices at their base.
    catalog_problem
        Why the newest catalog cannot be used, if it cannot.
    """
    found = []
    if catalog_problem:
        title = "The catalog cannot be used; the one read before stays in force"
        found.append(Notice(title, catalog_problem, "problem"))
    if kill_switch:
        text = "Every product is sold at its base price, without exploration, until the switch is off in store.yaml."
        found.append(Notice("The kill switch is on", text, "problem", "guardrails: {kill_switch: false}"))
    if not versions:
        text = "Products are sold at base prices, some of them explored, until a first model is trained and promoted."
        found.append(Notice("No model yet", text, "info", "shelfprice pipeline"))
    elif not any(version.was_champion for version in versions):
        text = "The gate has promoted no model so far; the Models page says why. More days at varied prices help."
        found.append(Notice("No champion yet", text, "warning", "shelfprice simulate --days 7 && shelfprice train"))
    elif not books or books[-1] < shown:
        since = f"The newest price book is for {books[-1]}" if books else "There is a champion but no price book"
        text = f"{since}, but the day shown is {shown}: older prices stay in force."
        found.append(Notice("Prices are stale", text, "warning", f"shelfprice price --for {shown}"))
    return found
