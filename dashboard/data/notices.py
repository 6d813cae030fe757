"""What is missing or out of order, each with the command that mends it; and how everything is, in a few words."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from catalog.hooks import SERVICES
from catalog.settings import Settings
from dashboard.data.versions import Version
from warehouse.checks.whole import PassedOver
from warehouse.query.advice import Situation, next_command

if TYPE_CHECKING:
    from plugins.operations.up.states import RunningServices

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
    sentences = []
    if catalog_problem:
        title = "The catalog cannot be used; the one read before stays in force"
        sentences.append(Notice(title, catalog_problem, "problem"))
    if kill_switch:
        sentences.append(Notice("The kill switch is on", _AT_BASE_PRICES, "stopped"))
    elif passed_over is not None:
        sentences.append(_about_damage(passed_over))
    else:
        sentences += _about_prices(versions, books, shown, now)
    return sentences


def _about_damage(passed_over: PassedOver) -> Notice:
    sentence = passed_over.sentence[0].upper() + passed_over.sentence[1:]
    text = (
        f"{sentence}. The command sets the damaged files aside; `shelfprice price --for {passed_over.dates[0]}` then "
    )
    return Notice("A price book is damaged", f"{text}prices the day anew.", "problem", "shelfprice doctor --fix")


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


Light = Literal["green", "amber", "red"]

_MOST_REASONS = 3


@dataclass(frozen=True)
class Health:
    """A light, the words beside it, and why it is not green; at most three reasons."""

    light: Light
    word: str
    reasons: tuple[str, ...] = ()


def running_services(settings: Settings) -> "RunningServices | None":
    """Return how the services of `shelfprice up` are; None while they do not run, or nothing provides them."""
    report = SERVICES.only()
    return report(settings) if report else None


def health_of(
    running: "RunningServices | None",
    notices: Iterable[Notice],
    unproven: int,
    failed: Iterable[str] = (),
    *,
    trouble: str = "",
) -> Health:
    """Judge how everything is.

    Parameters
    ----------
    running
        The services of `shelfprice up`; None while it does not run.
    found
        What is out of order with the prices of the newest day.
    unproven
        Partitions of the newest day without a receipt.
    failed
        Runs that failed and whose flow has not completed since, such as `nightly crashed`.
    trouble
        Why it cannot be judged, empty when it can.
    """
    kept = list(notices)
    broken = [*_silent(running), *(notice.title for notice in kept if notice.mood == "problem")]
    if unproven:
        broken.append(f"{unproven} files without a receipt")
    if trouble:
        broken.append(trouble)
    if broken:
        return Health("red", "Broken", tuple(broken[:_MOST_REASONS]))
    stopped = [notice.title for notice in kept if notice.mood == "stopped"]
    if stopped:
        return Health("amber", "Stopped by a person", tuple(stopped[:_MOST_REASONS]))
    doubtful = [*_restarting(running), *failed, *(notice.title for notice in kept if notice.mood == "warning")]
    if running is None:
        doubtful.append("services are not running")
    if doubtful:
        first = f"{doubtful[0][:1].upper()}{doubtful[0][1:]}"
        more = f" and {len(doubtful) - 1} more" if len(doubtful) > 1 else ""
        return Health("amber", f"{first}{more}", tuple(doubtful[:_MOST_REASONS]))
    return Health("green", "Healthy")


def _silent(running: "RunningServices | None") -> list[str]:
    services = running.services if running else ()
    return [f"{service.name} does not answer" for service in services if service.condition == "silent"]


def _restarting(running: "RunningServices | None") -> list[str]:
    services = running.services if running else ()
    verbs = {"restarting": "restarts", "starting": "is starting"}
    return [f"{service.name} {verbs[service.condition]}" for service in services if service.condition in verbs]
