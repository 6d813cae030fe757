"""What is missing or out of order with the prices of a day, each with the command that mends it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard.data.versions import Version
from warehouse.advice import Situation, next_command
from warehouse.mixed import PassedOver

Mood = Literal["info", "warning", "stopped", "problem"]
"""`stopped` is what a person did on purpose: it is told everywhere, and nothing is broken."""

_AT_BASE_PRICES = (
    "Every product is sold at its base price, without exploration, until guardrails: {kill_switch: false} stands in "
    "store.yaml."
)


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
    now: Situation,
    kill_switch: bool,
    catalog_problem: str | None = None,
    passed_over: PassedOver | None = None,
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
    now
        The state of the lake, which decides the command.
    kill_switch
        Whether the catalog holds all prices at their base; then nothing else about prices is out of order.
    catalog_problem
        Why the newest catalog cannot be used, if it cannot.
    passed_over
        Price books that are damaged, so that older prices stand on the day shown.
    """
    found = []
    if catalog_problem:
        title = "The catalog cannot be used; the one read before stays in force"
        found.append(Notice(title, catalog_problem, "problem"))
    if kill_switch:
        found.append(Notice("The kill switch is on", _AT_BASE_PRICES, "stopped"))
    elif passed_over is not None:
        found.append(_about_damage(passed_over))
    else:
        found += _about_prices(versions, books, shown, now)
    return found


def _about_damage(passed_over: PassedOver) -> Notice:
    sentence = passed_over.sentence[0].upper() + passed_over.sentence[1:]
    text = (
        f"{sentence}. The command sets the damaged files aside; `shelfprice price --for {passed_over.dates[0]}` then "
    )
    return Notice("A price book is damaged", f"{text}prices the day anew.", "problem", "shelfprice verify --set-aside")


def _about_prices(versions: Sequence[Version], books: list[dt.date], shown: dt.date, now: Situation) -> list[Notice]:
    """Say what is missing on the way from decisions to prices: a model, a champion or a book."""
    if now.is_a_retailers:
        return []  # its shelf prices stand, or drawn ones: no model prices it, and no book is missing
    command = next_command(now)
    if not versions:
        if books:
            text = "What the stores have sold so far makes the prices; a first model is trained once that is enough."
        else:
            text = "Products are sold at base prices, some of them explored, until a first night has made prices."
        return [Notice("No model yet", text, "info", command)]
    if not any(version.was_champion for version in versions):
        text = "The gate has promoted no model so far; the Models page says why. More days at varied prices help."
        return [Notice("No champion yet", text, "warning", command)]
    if not books:
        return [
            Notice("No price book yet", "There is a champion, and it has priced no day so far.", "warning", command)
        ]
    if books[-1] < shown:
        text = f"The newest price book is for {books[-1]}, but the day shown is {shown}: older prices stay in force."
        return [Notice("Prices are stale", text, "warning", command)]
    return []
