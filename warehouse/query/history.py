"""What was in force on a date, who was champion when, and what came of prices of people and of promotions."""

import datetime as dt
from typing import Any

from catalog.errors import DataError, LakeError
from catalog.settings import Settings
from warehouse.lake import Lake
from warehouse.query.advice import remedy
from warehouse.query.connection import workbench_with_marts
from warehouse.query.sql_files import queries_beside

_query = queries_beside(__file__)


def past_day(settings: Settings, date: dt.date) -> list[dict[str, Any]]:
    """Return what was in force on a date, one record for each batch and change of its prices.

    Raises
    ------
    DataError
        When the date has no decisions.
    LakeError
        When there is no lake.
    """
    rows = _asked(settings, "past_day", {"business_date": date})
    if not rows:
        raise DataError(f"expected decisions of {date} in the lake, found none; name another date")
    return rows


def champion_history(settings: Settings) -> list[dict[str, Any]]:
    """Return every change of champion, the newest first, with what the version earned while it priced.

    Raises
    ------
    LakeError
        When there is no lake.
    """
    return _asked(settings, "champion_history", {})


def newest_effects(settings: Settings, most: int = 20) -> list[dict[str, Any]]:
    """Return what came of the newest prices that people set or approved, as `price_effects` has it.

    Raises
    ------
    LakeError
        When there is no lake.
    """
    return _asked(settings, "newest_effects", {"most": most})


def promotions(settings: Settings) -> list[dict[str, Any]]:
    """Return every promotion, those that begin last first, as `promotion_calendar` has it.

    Raises
    ------
    LakeError
        When there is no lake.
    """
    return _asked(settings, "promotions", {})


def _asked(settings: Settings, name: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    lake = Lake(settings)
    if not lake.exists():
        raise LakeError(f"{lake.address}: expected a lake, found none; nothing was read: {remedy(settings)}")
    with workbench_with_marts(settings) as connection:
        answer = connection.execute(_query(name), parameters)
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
