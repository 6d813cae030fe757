"""What to do next in the state that a lake is in: one place knows it, so that no page and no command has to guess.

What must hold: each command is one that the command line takes as it stands, and a retailer's lake is never answered
with a command of the twin.
"""

import datetime as dt
import shlex
from dataclasses import dataclass
from pathlib import Path

from catalog.settings import Settings
from warehouse.lake import Lake
from warehouse.origin import Side, origin_of, sold_partitions
from warehouse.stores.folder import open_store

BEGIN = "shelfprice demo"
PLACEHOLDER = "FILE"
"""Stands in a command for the name of a log, which its reader has to put there."""
BEGIN_WITH_A_LOG = f"shelfprice ingest {PLACEHOLDER}"


@dataclass(frozen=True)
class Situation:
    """The state of a lake.

    Attributes
    ----------
    origin
        Whose decisions it holds; None while it holds none.
    shelf
        Folder of a retailer's shelf, None for the one that ships.
    is_grouped
        Whether every partition of decisions has its demand cells.
    has_champion
        Whether a version ever was champion.
    newest_sold, newest_book
        Newest business date with decisions, closed or not, and newest with a price book; None without one.
    """

    origin: Side | None
    shelf: Path | None
    is_grouped: bool
    has_champion: bool
    newest_sold: dt.date | None
    newest_book: dt.date | None

    @property
    def is_a_retailers(self) -> bool:
        """Whether no day may be played in the lake."""
        return self.origin == "retailer"


def situation_of(settings: Settings, catalog_dir: Path | None = None) -> Situation:
    """Look at a lake; no file of decisions is opened.

    Parameters
    ----------
    catalog_dir
        The catalog that is worked with, if one was named.
    """
    lake = Lake(settings)
    origin = origin_of(lake.store)
    closed = {(part.business_date, part.group) for part in sold_partitions(lake)}
    grouped = {(part.business_date, part.group) for part in lake.partitions("demand_cells")}
    sold = {date for date, _ in closed if date is not None}
    return Situation(
        origin,
        catalog_dir or own_shelf(settings),
        is_grouped=closed <= grouped,
        has_champion=any(lake.partitions("champions")),
        newest_sold=max([*sold, *lake.dates("live_interactions")], default=None),
        newest_book=next(lake.newest_dates("booked_prices"), None),
    )


def own_shelf(settings: Settings) -> Path | None:
    """Return the folder of the shelf that was estimated from a retailer's log, where the lake is the retailer's."""
    if not (settings.shelf / "products.yaml").exists():
        return None
    return settings.shelf if origin_of(open_store(settings)) == "retailer" else None


def next_command(now: Situation, *, kill_switch: bool = False) -> str | None:
    """Return the command that brings a lake one step nearer to prices; None where nothing is missing.

    Parameters
    ----------
    kill_switch
        Whether the catalog holds all prices at their base: then no book is missing.
    """
    if now.newest_sold is None:
        return _first_decisions(now)
    if not now.is_grouped and (now.has_champion or now.is_a_retailers):
        return on_shelf("shelfprice transform", now)
    if now.is_a_retailers:
        return None  # what stands on the shelves stands, until its owner lets prices be drawn
    if now.has_champion:
        is_priced = now.newest_book is not None and now.newest_book >= now.newest_sold
        return None if is_priced or kill_switch else on_shelf("shelfprice price", now)
    return on_shelf("shelfprice nightly", now)  # groups what is there, learns, prices, and sells the day after


def on_shelf(command: str, now: Situation) -> str:
    """Name the catalog that a command has to work with, where that is not the one that ships."""
    return command if now.shelf is None else f"{command} --catalog {shlex.quote(str(now.shelf))}"


def views_again(now: Situation) -> str:
    """Return the command that makes the file of views; where there is no decision yet, the one to begin with."""
    return _first_decisions(now) if now.newest_sold is None else on_shelf("shelfprice transform", now)


def remedy(settings: Settings) -> str:
    """Say how to get what is missing where there is no warehouse, as the end of an error."""
    command = views_again(situation_of(settings))
    also = f" or `{BEGIN_WITH_A_LOG}`" if command == BEGIN else ""
    return f"run `{command}`{also}, or set SHELFPRICE_HOME to where one is"


def _first_decisions(now: Situation) -> str:
    """Return the command that brings the first decisions."""
    return f"{on_shelf('shelfprice ingest', now)} {PLACEHOLDER}" if now.is_a_retailers else BEGIN
