"""Quotes of stores that sell by themselves: the price that stands, what it was drawn from, and what others would sell.

Units are expected from what was believed when the price was drawn: those of a slot, a week or a day, at the owner's
price, and the response of sales to the price. Both stand in the draw itself.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from catalog.currency import Currency, currency_of
from catalog.decisions.rules import RULES
from catalog.errors import DataError
from catalog.load import Catalog
from etl.calendar import StoreNow
from flows.cli.console import say, show_table
from plugins.desk.standing import Standing, StoreStanding, standings
from plugins.own_store.draws.drawn_prices import BACK, DrawnPolicy, newest_draw, room_of
from serving.learning.outlook import WITHOUT_CHAMPION
from serving.quote import PriceQuestion, PriceQuote
from serving.store.in_force import unknown_price
from warehouse.lake import Lake

_SURE = 1.96  # standard deviations of a 95 % interval
_NOISE = 1e-9  # EUR


@dataclass(frozen=True)
class DrawnQuote(PriceQuote):
    """A price of an outside store. Of `candidates` each has the units and the profit expected in the draw's slot.

    `drawn` says what the price was drawn from: the owner's price, the dates, the chance of this price, the design, the
    stretch of slots that is held whole or not, whether the store is held or on its way there, the sides of a coin, and
    the response of sales to the price with its interval; None where the product is not drawn in the store.
    """

    drawn: dict[str, Any] | None

    def show(self) -> None:
        """Print why the price stands, and what the prices of the band are expected to sell."""
        say(self.reason)
        if self.candidates and self.drawn is not None:
            money, drawn = currency_of(self.currency), self.drawn
            rows = [
                [
                    "->" if weighed["price"] == self.price else "",
                    weighed["price"],
                    *(_shown(weighed, name, money) for name in _SHOWN),
                ]
                for weighed in self.candidates
            ]
            is_back = drawn["is_held"] or drawn["is_on_the_way"]
            back = "held at your own price" if drawn["is_held"] else "on the way to your own price"
            state = back if is_back else "an experiment" if drawn["is_experiment"] else "drawn"
            price = f"price, {money.code}"
            show_table(
                f"Expected from {drawn['first']} to {drawn['through']}, {self.holds_in}",
                ["", price, "units", "from", "to", f"profit, {money.code}"],
                rows,
                f"{state}; your own price is {money.format_money(drawn['shelf_price'])}; design: {drawn['design']}",
                money=[price],
                digits=money.digits,
            )


_SHOWN = ("expected_units", "units_low", "units_high", "expected_profit")


def _shown(weighed: Mapping[str, Any], name: str, money: Currency) -> str:
    """Return what is expected at a price that was weighed, in a cell of a table."""
    digits = max(2, money.digits) if name == "expected_profit" else 1
    return "" if weighed[name] is None else f"{weighed[name]:.{digits}f}"


class DrawnDesk:
    """Answers questions about the prices that stand in outside stores; what a store shows is read once.

    Parameters
    ----------
    stores
        Where each store stands.
    """

    def __init__(self, lake: Lake, catalog: Catalog, stores: Mapping[str, StoreNow]) -> None:
        self._lake, self._catalog, self._stores = lake, catalog, stores
        self._standing: dict[str, StoreStanding] = {}
        dates = {now.date for now in stores.values()}
        partitions = {date: part for date in dates if (part := newest_draw(lake, date)) is not None}
        self._draws = {date: (part, lake.read(part)) for date, part in partitions.items()}

    @property
    def tag(self) -> tuple[str, ...]:
        """What is another one whenever another draw stands."""
        return tuple(sorted(f"{part}:{self._lake.sha256(part)}" for part, _ in self._draws.values()))

    @property
    def has_draws(self) -> bool:
        """Whether any price was drawn."""
        return bool(self._draws)

    def open_for(self, stores: Sequence[str]) -> None:
        """Read what stands in stores."""
        new = {store: self._stores[store] for store in stores if store not in self._standing}
        self._standing.update(standings(self._lake, self._catalog, new))

    def distinct(self, question: PriceQuestion) -> dict[tuple[float, str], list[str]]:
        """Return the prices of a product, EUR, each with the rule behind it and its stores; infinite where unknown."""
        self.open_for(tuple(self._stores))
        found: dict[tuple[float, str], list[str]] = {}
        for store in self._stores:
            held = self._standing[store].of(question.sku)
            found.setdefault((math.inf, "") if held is None else (held.price, held.rule), []).append(store)
        return found

    def answer(self, question: PriceQuestion, store: str) -> DrawnQuote:
        """Answer for one store.

        Raises
        ------
        DataError
            When no price of the product is known there.
        """
        self.open_for((store,))
        held = self._standing[store].of(question.sku)
        if held is None:
            raise DataError(unknown_price(question.sku, store))
        row, product = self._row(question.sku, store), self._catalog.product(question.sku)
        left = question.ticks_left or self._catalog.store.opening.ticks - self._stores[store].tick
        return DrawnQuote(
            sku=question.sku,
            stock=question.stock,
            priced_as_stock=question.stock,
            ticks_left=left,
            price=held.price,
            p_sale=None,
            expected_revenue=None,
            unit_value=None,
            binding_rule=held.rule,
            model_version=WITHOUT_CHAMPION,
            policy=DrawnPolicy.name,
            made_for=str(self._stores[store].date if row is None else row["first"]),
            unconstrained_price=held.without,
            clamps=[{"rule": rule, "before": None, "after": held.price} for rule in held.limits],
            clamp_cost=None,
            reason=f"{product.name} stands at {self._money(held.price)}: {self._why(held, row)}",
            currency=self._catalog.store.currency,
            holds_in=store,
            candidates=[] if row is None else self._candidates(question.sku, held.price, row),
            drawn=None if row is None else _origin(row),
        )

    def _row(self, sku: str, store: str) -> dict[str, Any] | None:
        """Return the row of a product's draw; None where it was not drawn."""
        if self._stores[store].date not in self._draws:
            return None
        part, rows = self._draws[self._stores[store].date]
        own = rows.filter((pc.field("store_id") == store) & (pc.field("sku") == sku)).to_pylist()
        return own[0] | {"first": part.business_date} if own else None

    def _why(self, held: Standing, row: dict[str, Any] | None) -> str:
        said = RULES[held.rule]
        if row is None or held.rule != "drawn_price":
            return said
        if row["low_price"] is not None:
            sides = f"{self._money(row['low_price'])} or {self._money(row['high_price'])}"
            return f"a coin of an experiment chose between {sides}"
        said = f"{said}; its chance was {row['propensity']:.0%}"
        if row["response"] is None:
            return said
        low, high = (f"{end:.1f}" for end in _interval(row))
        return f"{said}, with sales believed to answer to the price by {row['response']:.1f} ({low} to {high})"

    def _candidates(self, sku: str, price: float, row: dict[str, Any]) -> list[dict[str, float | None]]:
        """Return the ladder's prices in the band, and the one that stands, each with what it is expected to sell."""
        shelf = Catalog((self._catalog.product(sku),), self._catalog.store)
        own, one = np.array([[row["shelf_price"]]]), np.ones((1, 1), dtype=bool)
        band = self._catalog.store.drawn_prices.band
        ladder = room_of(shelf, own, one, None).ladder[0]
        inside = np.abs(ladder / row["shelf_price"] - 1) <= band + _NOISE  # what fills up the ladder compares as False
        cost, digits = float(shelf.unit_costs[0]), self._catalog.store.money.digits
        prices = sorted({round(float(at), digits) for at in ladder[inside & (ladder >= cost - _NOISE)]} | {price})
        return [_expected(at, cost, row) for at in prices]

    def _money(self, amount: float) -> str:
        return self._catalog.store.money.format_money(amount)


def _interval(row: Mapping[str, Any]) -> tuple[float, float]:
    reach = _SURE * row["response_deviation"]
    return row["response"] - reach, row["response"] + reach


def _expected(price: float, cost: float, row: Mapping[str, Any]) -> dict[str, float | None]:
    if row["expected_units"] is None or row["response"] is None:
        return {"price": price, "expected_units": None, "units_low": None, "units_high": None, "expected_profit": None}
    units, low, high = (
        row["expected_units"] * (price / row["shelf_price"]) ** response
        for response in (row["response"], *_interval(row))
    )
    return {
        "price": price,
        "expected_units": units,
        "units_low": min(low, high),
        "units_high": max(low, high),
        "expected_profit": units * (price - cost),
    }


def _origin(row: Mapping[str, Any]) -> dict[str, Any]:
    known = row["response"] is not None
    low, high = _interval(row) if known else (None, None)
    return {
        "shelf_price": row["shelf_price"],
        "first": str(row["first"]),
        "through": str(row["through"]),
        "propensity": row["propensity"],
        "design": row["design"],
        "block": row["block"],
        "is_held": row["is_held"],
        "is_on_the_way": bool(row["is_on_the_way"]),
        "goes_back": row["design"] == BACK,
        "is_experiment": row["low_price"] is not None,
        "low_price": row["low_price"],
        "high_price": row["high_price"],
        "response": row["response"],
        "response_low": low,
        "response_high": high,
    }
