"""The days of a price book beside base prices, on the same shoppers; a part of the report after a loop.

Days of exploration are no yardstick for a price book: they sell at prices that are meant to lose money. The twin can do
better. It draws who comes before any price is known, so the visits of a past day can be drawn again from the seed,
stores and catalog of the ledger, and met at base prices. What must hold: the twin played the day from opening to
closing under one price book. Days that were loaded from a file or sold live have no comparison.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.currency import EUR, Currency
from catalog.errors import CatalogError
from catalog.load import Catalog
from catalog.records.pricing import Objective
from etl.ledger import LedgerRow, in_force_in, kept_catalog
from etl.open_days import is_live
from etl.stock import kept_before
from etl.twin.visits import draw_visits
from flows.cli.console import say, show_table
from plugins.evaluation.over_days import OverDays
from plugins.evaluation.takings import Takings, sum_of, takings_of
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition
from warehouse.origin import bought_among, money_of

_LOST = ("waste_eur", "holding_eur", "units_spoiled")


@dataclass(frozen=True)
class Compared:
    """A price book beside base prices on the same shoppers, all stores together.

    Attributes
    ----------
    objective
        What prices were to maximise: `revenue`, `margin` or `profit`.
    book, base
        What the price book brought, and what base prices would have brought from the same visits.
    """

    objective: Objective
    book: Takings
    base: Takings

    @property
    def book_eur(self) -> float:
        """What the price book earned by the objective, EUR."""
        return self.book.counted(self.objective)

    @property
    def base_eur(self) -> float:
        """What base prices would have earned by the objective, EUR."""
        return self.base.counted(self.objective)


@dataclass(frozen=True)
class SameShoppers(Compared):
    """One business date."""

    business_date: dt.date


@dataclass(frozen=True)
class MeanDay(Compared):
    """The mean of `count_days` business dates."""

    count_days: int

    @property
    def gain(self) -> float | None:
        """What the book earned more, as a share of base prices; None where those earned nothing."""
        return self.book_eur / self.base_eur - 1 if self.base_eur > 0 else None


def on_same_shoppers(lake: Lake) -> list[SameShoppers]:
    """Compare every business date that the twin played from a price book with base prices, in order of date.

    A date of which a single batch cannot be compared is left out whole. Where stock lives on, base prices begin the
    first date with what the stores had, and every other one with what they themselves left.
    """
    days, at_base = [], OverDays()
    for date, batches in groupby(lake.partitions("interactions"), lambda batch: batch.business_date):
        compared = [_compare(lake, batch, at_base) for batch in batches]
        comparable = [day for day in compared if day is not None]
        if date is not None and len(comparable) == len(compared):
            book, base = (sum_of([getattr(day, name) for day in comparable]) for name in ("book", "base"))
            days.append(SameShoppers(comparable[0].objective, book, base, date))
    return days


def mean_of(days: list[SameShoppers]) -> MeanDay | None:
    """Return the mean day of those that have the newest day's objective; None without days."""
    counted = [day for day in days if day.objective == days[-1].objective]
    if not counted:
        return None
    book, base = (sum_of([getattr(day, name) for day in counted]).over(len(counted)) for name in ("book", "base"))
    return MeanDay(counted[0].objective, book, base, len(counted))


def _compare(lake: Lake, batch: Partition, at_base: OverDays) -> SameShoppers | None:
    """Compare one batch of decisions; None unless the twin played it from a price book all day."""
    date = batch.business_date
    if date is None or is_live(batch):
        return None
    rows = in_force_in(lake, date, batch.group)
    if lake.receipt(batch) is None or len(rows) != 1 or rows[0].book_made_for is None:
        return None
    try:
        catalog = kept_catalog(lake, rows[0].catalog)
    except CatalogError:  # this version cannot read it any more
        return None
    objective = catalog.store.policies.objective
    base = _at_base_prices(lake, catalog, rows[0], date, at_base)
    return SameShoppers(objective, takings_in(lake, batch, catalog), base, date)


def takings_in(lake: Lake, batch: Partition, catalog: Catalog) -> Takings:
    """Sum what the published decisions of a batch brought, and what was taken instead."""
    sold = bought_in(lake, batch, ["sku", "price_offered"]).to_pandas()
    costs = sold["sku"].astype(str).map(dict(zip(catalog.skus, catalog.unit_costs, strict=True))).astype(float)
    waste = holding = spoiled = 0.0
    stock = replace(batch, table="stock_movements")
    if lake.receipt(stock) is not None:
        moved = lake.read(stock)
        waste, holding, spoiled = (float(pc.sum(moved[name]).as_py() or 0) for name in _LOST)
    return Takings(float(sold["price_offered"].sum()), float(costs.sum()), waste, holding, len(sold), spoiled)


def _at_base_prices(lake: Lake, catalog: Catalog, row: LedgerRow, date: dt.date, at_base: OverDays) -> Takings:
    """Sell the same visits at base prices."""
    visits = draw_visits(catalog, row.stores, date, row.seed)
    at_base.begin_with(kept_before(lake, catalog, row.stores, date), row.stores, date)
    policy = Storefront(StaticPolicy(catalog.base_prices))
    return takings_of(at_base.meet(catalog, policy, row.stores, date, visits), catalog)


def sentence_of(mean: MeanDay, money: Currency = EUR) -> str:
    """Say what the price book earned, beside base prices on the same shoppers."""
    counted = "" if mean.objective == "revenue" else f" of {mean.objective}"
    gain = "" if mean.gain is None else f" ({mean.gain:+.1%})"
    days = "1 day" if mean.count_days == 1 else f"{mean.count_days} days"
    return (
        f"On the same shoppers, the price book earned {money.format_sum(mean.book_eur)}{counted} a day and base "
        f"prices {money.format_sum(mean.base_eur)}{gain}, over {days}"
    )


section = "same_shoppers"
"""Its name in the report."""


def collect(lake: Lake) -> dict[str, Any] | None:
    """Compare the price book with base prices on the same shoppers; None without a day that allows it."""
    days = on_same_shoppers(lake)
    mean = mean_of(days)
    if mean is None:
        return None
    return {
        "count_days": mean.count_days,
        "objective": mean.objective,
        "book_eur": mean.book_eur,
        "base_eur": mean.base_eur,
        "gain": mean.gain,
        "book": _amounts(mean.book),
        "base": _amounts(mean.base),
        "sentence": sentence_of(mean, money_of(lake)),
        "days": [{**vars(day), "book": _amounts(day.book), "base": _amounts(day.base)} for day in days],
    }


def _amounts(takings: Takings) -> dict[str, float]:
    """Return what days brought by the names of the table, EUR, and units thrown away as a share."""
    names = ("profit_eur", "waste_eur", "margin_eur", "revenue_eur")
    return {**{name: getattr(takings, name) for name in names}, "wasted_share": takings.wasted_share}


def show(record: dict[str, Any], money: Currency) -> None:
    """Show what a day brought from the price book and at base prices, on the same shoppers."""
    titles = [money.format_title(title) for title in ("profit, EUR", "waste, EUR", "margin, EUR", "revenue, EUR")]
    rows = [
        [name, *list(amounts.values())[:-1], f"{amounts['wasted_share']:.1%}"]
        for name, amounts in (("price book", record["book"]), ("base prices", record["base"]))
    ]
    columns = ["a day of", *titles, "units thrown away"]
    days = "1 day" if record["count_days"] == 1 else f"{record['count_days']} days"
    show_table(f"{days} on the same shoppers", columns, rows, money=titles, digits=money.digits)
    say(record["sentence"])


def bought_in(lake: "Lake", decisions: Partition, columns: Sequence[str]) -> pa.Table:
    """Return some columns of the units sold in a partition of decisions, one row each, as `bought_among` does."""
    taken = replace(decisions, table="substitutions")
    return bought_among(lake.read(decisions), lake.read(taken) if lake.receipt(taken) else None, columns)
