"""What the lake and the catalog alone can tell to be in vain: it is refused before Prefect and MLflow are imported."""

import datetime as dt
from pathlib import Path

from catalog.errors import DataError
from catalog.load import load
from catalog.settings import read_settings


def refuse_without_cells() -> None:
    """Refuse to learn from a lake, or to price by it, that holds no demand cells.

    Raises
    ------
    DataError
        When there are none.
    """
    from etl.business_dates import newest_grouped
    from warehouse.lake import Lake

    newest_grouped(Lake(read_settings()))


def refuse_night_with_gap(date: dt.date | None) -> None:
    """Refuse a night that would leave a gap before it, or would price a day that is sold already.

    Raises
    ------
    Declined
        With the dates there are and the command that does it.
    """
    from training.nights import refuse_what_cannot_be_closed
    from warehouse.lake import Lake

    if date is not None:
        refuse_what_cannot_be_closed(Lake(read_settings()), date)


def refuse_store(store: str, catalog: Path | None) -> None:
    """Refuse a store that the catalog does not have.

    Raises
    ------
    DataError
        With the stores there are, and the nearest of them.
    """
    from etl.live.calendar import refuse_unknown_store

    refuse_unknown_store(load(catalog), store)


def refuse_dates_backwards(start: dt.date, end: dt.date) -> None:
    """Refuse dates of which the last is before the first.

    Raises
    ------
    DataError
        When they are.
    """
    if end < start:
        raise DataError(
            f"--end {end}: expected a date on or after the start {start}; nothing was done: swap them or give another"
        )
