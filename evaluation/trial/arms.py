"""The two policies of a trial by their names, as the store would price by them, and what is refused of a pair."""

import datetime as dt
from collections.abc import Sequence

from catalog.arrays import Floats
from catalog.errors import DataError, Declined
from catalog.load import Catalog
from catalog.pricing import PricedBy
from evaluation.trial.rewards import stock_values
from evaluation.worlds import refuse_unknown
from serving.book_store import book_in_force
from serving.in_force import pricing_on
from serving.order_book import orders_on
from warehouse.lake import Lake

POLICIES = ("static", "rule", "greedy", "stock_aware")
"""What can be tried. `stock_aware` is what prices the store: the price book in force."""
_WITHOUT_MODEL = {"static", "rule"}


def refuse_pair(a: str, b: str) -> None:
    """Refuse policies that are unknown or the same.

    Raises
    ------
    DataError
        When they are.
    """
    refuse_unknown("policy", (a, b), POLICIES, "tried")
    if a == b:
        raise DataError(
            f"expected two policies, found {a} twice; nothing was tried, for a policy earns what it earns: name another"
        )


def without_exploration(catalog: Catalog) -> Catalog:
    """Return the catalog under which a trial is sold: neither policy explores, so that their own prices are compared.

    The ledger keeps it, so a day of a trial is replayed like any other.
    """
    exploration = catalog.store.exploration.model_copy(update={"before_champion": 0.0, "budget": 0.0})
    return Catalog(catalog.products, catalog.store.model_copy(update={"exploration": exploration}))


def refuse_stopped(lake: Lake, catalog: Catalog, dates: Sequence[dt.date]) -> None:
    """Refuse dates on which nothing can be compared.

    Raises
    ------
    Declined
        When the kill switch is on, in the catalog or by what people ordered, for every store and a whole date.
    """
    is_off = catalog.store.guardrails.kill_switch
    if is_off or any(orders_on(lake, catalog, date).stops_everything for date in dates):
        raise Declined("the kill switch is on, so both policies would show base prices; nothing was tried: turn it off")


def arms_on(lake: Lake, catalog: Catalog, a: str, b: str, date: dt.date) -> tuple[PricedBy, PricedBy]:
    """Return what prices a date in A's turns and in B's.

    Raises
    ------
    DataError
        When a policy needs a price book and none is in force.
    """
    return _arm(lake, catalog, a, date), _arm(lake, catalog, b, date)


def values_on(lake: Lake, catalog: Catalog, date: dt.date) -> Floats:
    """Return what stock is worth on a date by the price book in force, EUR, shape (n_products, n_levels, n_ticks).

    Raises
    ------
    DataError
        When no book says.
    """
    in_force = book_in_force(lake, date)
    values = None if in_force is None else stock_values(in_force[0], catalog.skus)
    if values is None:
        raise DataError(
            f"expected a price book of stock_aware for {date} or before, found none; nothing was tried: without it "
            "nobody knows what a block leaves to the next one, so use --unit day, or make a book with `shelfprice "
            "train` and `shelfprice price`"
        )
    return values


def name_asked_for(name: str) -> str | None:
    """Return the policy that is asked for by its name; None for `stock_aware`, which is what is in force."""
    return None if name == "stock_aware" else name


def _arm(lake: Lake, catalog: Catalog, name: str, date: dt.date) -> PricedBy:
    priced_by = pricing_on(lake, catalog, date, name_asked_for(name))
    if name == "stock_aware" and priced_by.policy.name in _WITHOUT_MODEL:
        raise DataError(
            f"expected a price book for {date} or before, found none; nothing was tried, for stock_aware is what the "
            "book says: run `shelfprice train` and `shelfprice price`"
        )
    return priced_by
