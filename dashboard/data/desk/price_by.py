"""A price that is typed for many rows at once: "to 1.29", "+5 %", "-0.10" or "margin 30 %"."""

import re

import numpy as np

from catalog.currency import Currency
from catalog.errors import DataError
from catalog.limits import not_below
from dashboard.data.desk.rows import Row
from dashboard.formats import shown_currency

_FORMS = '"to 1.29", "+5 %", "-0.10" or "margin 30 %"'
_TYPED = re.compile(
    r"(?P<way>to|margin|[+-])\s*(?P<number>\d{1,7}(?:[.,]\d{1,4})?)\s*(?P<percent>%)?", re.ASCII | re.IGNORECASE
)
_WHOLE = 100  # percent


def price_by(text: str, row: Row) -> float:
    """Return the price, EUR, that a typed change gives a row, in whole smallest units.

    An amount or a percentage changes the price now, or the proposed one where the store never sold the product. A
    margin is a share of the price, as the trade counts it: 30 % of 1.00 leaves 0.70 for the cost.

    Raises
    ------
    DataError
        When the text is none of the four forms, or no price above 0 results.
    """
    found = _TYPED.fullmatch(text.strip().replace("\N{MINUS SIGN}", "-"))
    way = "" if found is None else found["way"].lower()
    if found is None or (way == "margin") > (found["percent"] is not None) or (way == "to" and found["percent"]):
        raise DataError(f"expected {_FORMS}, found {text!r}; nothing was recorded")
    number, money = float(found["number"].replace(",", ".")), shown_currency()
    if way == "to":
        return number
    if way == "margin":
        return _with_margin(number / _WHOLE, row, money)
    now, sign = row.proposed if row.now is None else row.now, -1 if way == "-" else 1
    price = round(now * (1 + sign * number / _WHOLE) if found["percent"] else now + sign * number, money.digits)
    if price <= 0:
        left = f"{text} of {money.format_money(now)} leaves no price above 0"
        raise DataError(f"{row.title}: {left}; nothing was recorded")
    return price


def _with_margin(margin: float, row: Row, money: Currency) -> float:
    """Return the lowest price of which a share is left once the unit is paid, EUR."""
    if not 0 <= margin < 1 or not row.unit_cost:
        why = "a margin from 0 % to below 100 %" if row.unit_cost else "a product whose cost is known"
        raise DataError(f"{row.title}: expected {why}; nothing was recorded")
    return float(not_below(np.array([row.unit_cost / (1 - margin)]), money=money)[0])
