"""JSON as the command line and the quote API write it: one definition, so that both give the same bytes."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats, Ints
from catalog.currency import Currency
from catalog.decisions.rules import LIMITS, RULES
from catalog.load import Catalog

_PLAIN = (str, int, type(None))  # `bool` is an `int`
_ENCODER = json.JSONEncoder(default=str, ensure_ascii=False, allow_nan=False)


def json_text(result: Any) -> str:
    """Return a result as JSON; a number that JSON does not have is null.

    Examples
    --------
    >>> json_text({"price": 1.5, "p_sale": float("nan")})
    '{"price": 1.5, "p_sale": null}'
    """
    return _ENCODER.encode(_in_json(result))


def _in_json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dict):
        return {name: _in_json(part) for name, part in value.items()}
    return [_in_json(part) for part in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Changes:
    """Price decisions that people may ask about, all of shape (n_decisions,).

    Attributes
    ----------
    product
        Position on the shelf.
    old_price, new_price, unconstrained
        EUR; the old one is NaN at opening, the last one is what was asked for before any limit.
    explored
        Whether the price was tried in order to learn.
    rule
        Index into the names of the rules.
    stock, minutes_left
        Units on the shelf and minutes to closing when it was decided.
    p_sale, unit_value
        Chance of sale at the new price, and value of a unit kept, EUR; NaN without a model.
    """

    product: Ints
    old_price: Floats
    new_price: Floats
    unconstrained: Floats
    explored: Flags
    rule: Ints
    stock: Ints
    minutes_left: Ints
    p_sale: Floats
    unit_value: Floats


class PriceMove(NamedTuple):
    """A single price decision, with the fields of `Changes` as plain numbers."""

    product: int
    old_price: float
    new_price: float
    unconstrained: float
    explored: bool
    rule: int
    stock: int
    minutes_left: int
    p_sale: float
    unit_value: float


def reasons(catalog: Catalog, rules: tuple[str, ...], changes: Changes) -> pa.DictionaryArray:
    """Return a sentence per decision; each distinct sentence is written once and pointed at.

    A sentence is put together from parts, each written once for each distinct value.

    Parameters
    ----------
    rules
        Names that `changes.rule` points into.
    """
    names, money = [product.name for product in catalog.products], catalog.store.money
    limited = np.array([rule in LIMITS for rule in rules])[changes.rule]
    limited &= np.round(changes.unconstrained, money.digits) != np.round(
        changes.new_price, money.digits
    )  # else it asked for just this price
    counted = np.array([rule == "stock_value" for rule in rules])[changes.rule]
    moved = (changes.product, changes.old_price, changes.new_price)
    because = (changes.rule, np.where(counted, changes.stock, 0), np.where(counted, changes.minutes_left, 0))
    parts = [
        _written(lambda product, *prices: _move(money, names[product], *prices), *moved),
        _written(lambda rule, *left: _because(rules[rule], *left), *because),
        _written(
            partial(_asked, money), np.where(limited, changes.unconstrained, 0.0), limited * (1 + changes.explored)
        ),
        _written(
            partial(_kept, money), np.round(changes.unit_value + _costs_in(catalog)[changes.product], money.digits)
        ),
        _written(_chance, np.round(100 * changes.p_sale)),
    ]
    code, first = _distinct(*(codes for codes, _ in parts))
    words = [sentences.take(pa.array(codes[first])) for codes, sentences in parts]
    return pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), pc.binary_join_element_wise(*words, ""))


def reason(catalog: Catalog, rules: tuple[str, ...], change: PriceMove) -> str:
    """Return the sentence of a single decision: the same one as `reasons`, at once."""
    rule, wanted, shown, money = rules[change.rule], change.unconstrained, change.new_price, catalog.store.money
    differs = _rounded(wanted, money.scale) != _rounded(shown, money.scale)  # else it asked for just this price
    limited = rule in LIMITS and differs
    left = (change.stock, change.minutes_left) if rule == "stock_value" else (0, 0)
    parts = (
        _move(money, catalog.products[change.product].name, change.old_price, shown),
        _because(rule, *left),
        _asked(money, wanted if limited else 0.0, limited * (1 + change.explored)),
        _kept(money, _rounded(change.unit_value + float(_costs_in(catalog)[change.product]), money.scale)),
        _chance(_rounded(100 * change.p_sale, 1)),
    )
    return "".join(parts)


def _costs_in(catalog: Catalog) -> Floats:
    """Return what a unit costs where its worth is told above that, so that people read its whole worth, EUR."""
    return catalog.unit_costs * (catalog.store.policies.objective == "profit")


def _rounded(value: float, parts: int) -> float:
    """Round to a whole number of parts of one, as numpy does to decimals; what is not finite stays."""
    return round(value * parts) / parts if math.isfinite(value) else value


def _written(write: Callable[..., str], *columns: Ints | Floats) -> tuple[Ints, pa.Array]:
    """Return a number for each row and the words with each number, written once for each distinct row."""
    codes, first = _distinct(*columns)
    return codes, pa.array([write(*(column[row] for column in columns)) for row in first], pa.string())


def _distinct(*columns: Ints | Floats) -> tuple[Ints, Ints]:
    """Return a number for each row, equal where the columns are, and the first row with each number."""
    combined, count = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        codes, values = pd.factorize(column, use_na_sentinel=False)
        if len(values) > 1:
            combined, distinct = pd.factorize(combined * len(values) + codes)
            count = len(distinct)
    first = np.empty(min(count, len(combined)), dtype=np.int64)
    first[combined[::-1]] = np.arange(len(combined))[::-1]
    return combined, first


def _move(money: Currency, name: str, old_price: float, new_price: float) -> str:
    if math.isnan(old_price):
        return f"Opened {name} at {money.format_amount(new_price)}"
    if new_price == old_price:
        return f"Kept {name} at {money.format_amount(new_price)}"
    way = "Raised" if new_price > old_price else "Lowered"
    return f"{way} {name} {money.format_amount(old_price)} -> {money.format_amount(new_price)}"


def _because(rule: str, stock: int, minutes_left: int) -> str:
    """Say why; where the price weighs stock against time, that is how much is left of both."""
    if rule == "stock_value":
        return f": {stock} left with {_time(minutes_left)} to go"
    return f": {RULES[rule]}"


def _time(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])


def _asked(money: Currency, unconstrained: float, asked_by: int) -> str:
    """Say what a limit stood against: 0 is no limit, 1 the policy, 2 a trial."""
    if asked_by == 0 or math.isnan(unconstrained):
        return ""
    return f", {'the policy' if asked_by == 1 else 'a trial'} asked for {money.format_amount(unconstrained)}"


def _kept(money: Currency, unit_value: float) -> str:
    return "" if math.isnan(unit_value) else f", a unit kept is worth {money.format_amount(unit_value)}"


def _chance(percent: float) -> str:
    return "" if math.isnan(percent) else f", chance of sale {percent:.0f} %"
