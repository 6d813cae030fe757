"""What speaks against a price that a person asks for: named before it is saved."""

import datetime as dt
from collections.abc import Iterator, Sequence

from catalog.bounds import cost_plus_margin
from catalog.currency import Currency
from catalog.errors import DataError, Declined, did_you_mean
from catalog.load import Catalog
from catalog.records.product import Product
from plugins.desk.price_changes.change import PriceChange, Terms, stores_of
from serving.limits.orders import Kind

_NOTHING = "nothing was recorded"


def refuse_impossible(catalog: Catalog, terms: Terms, now: dt.datetime) -> None:
    """Refuse terms that can never hold.

    Raises
    ------
    CatalogError
        When the product is not on the shelf.
    DataError
        When the store is not of the catalog, the price is none, or the time is over or no time at all.
    """
    if terms.sku is not None:
        catalog.product(terms.sku)
    if terms.kind == "override" and (terms.sku is None or terms.new_price is None):
        raise DataError(f"expected a price and the product that has it, found an override without; {_NOTHING}")
    stores = catalog.store.stores
    if terms.store is not None and terms.store not in stores:
        first_stores = ", ".join(stores[:20])
        meant = did_you_mean(terms.store, stores)
        raise DataError(f"expected a store of the catalog ({first_stores}), found {terms.store!r}; {_NOTHING}{meant}")
    price, end, money = terms.new_price, terms.valid_until, catalog.store.money
    if price is not None and not (0 < price <= 1_000_000 and money.is_whole(price)):  # noqa: PLR2004 - as in records
        raise DataError(f"expected a price in whole {money.units_in_words} above 0, found {price}; {_NOTHING}")
    if end is not None and end <= max(terms.valid_from, now):
        start, until = (
            catalog.store.clock_of(terms.store).local(moment) for moment in (max(terms.valid_from, now), end)
        )
        raise DataError(
            f"expected an end after {start:%Y-%m-%d %H:%M}, from when it would count, found "
            f"{until:%Y-%m-%d %H:%M}; {_NOTHING}"
        )
    if not terms.reason.strip():
        raise DataError(f"expected a reason, found none; {_NOTHING}: say why in a sentence")


def conflicts(catalog: Catalog, terms: Terms, others: Sequence[PriceChange]) -> Iterator[str]:
    """Yield in a sentence each what a person should know before such a price is saved.

    Parameters
    ----------
    others
        The price changes that there are.
    """
    if terms.sku is not None and terms.new_price is not None:
        yield from _of_the_product(catalog, catalog.product(terms.sku), terms)
    if terms.announced:
        yield from of_the_announcement(terms, catalog.store.money)
    for other in others:
        if _hold_together(terms, other):
            yield _named(catalog, other)


def below_cost(catalog: Catalog, terms: Terms) -> str | None:
    """Say that a person's price does not cover cost plus minimum margin, unless somebody accepted that cost."""
    if terms.kind not in {"override", "freeze"} or terms.sku is None or terms.new_price is None:
        return None
    store, product = catalog.store, catalog.product(terms.sku)
    least, euros = cost_plus_margin(product, store.guardrails, store.money), store.money.format_money
    if terms.new_price >= least or (terms.accepted_cost is not None and terms.accepted_cost >= least):
        return None
    if terms.new_price < product.unit_cost:
        return f"{euros(terms.new_price)} is below its cost, {euros(product.unit_cost)}"
    margin = store.guardrails.margin_of(product.category)
    return f"{euros(terms.new_price)} leaves less than the minimum margin of {margin:.0%} on {euros(product.unit_cost)}"


def _of_the_product(catalog: Catalog, product: Product, terms: Terms) -> Iterator[str]:
    rails, euros = catalog.store.guardrails, catalog.store.money.format_money
    frozen, price = rails.frozen.get(product.sku), terms.new_price or 0.0
    if frozen is not None:
        yield f"{product.sku} is frozen at {euros(frozen)} in store.yaml"
    if price < product.floor and terms.accepted_cost is None:
        yield f"{euros(price)} is below its floor, {euros(product.floor)}, which would be shown in its place"
    if price > product.ceiling:
        yield f"{euros(price)} is above its ceiling, {euros(product.ceiling)}, which would be shown in its place"
    if price > product.base_price and rails.allow_only_markdowns(product.sku, product.category):
        base = euros(product.base_price)
        yield f"{euros(price)} is no markdown from its base price, {base}, which would be shown in its place"


def of_the_announcement(terms: Terms, money: Currency) -> Iterator[str]:
    """Yield what speaks against announcing a price as a reduction."""
    if terms.prior_price is None:
        yield f"no price of {terms.sku} was shown before, so there is none that a reduction could be announced from"
    elif terms.new_price is not None and terms.new_price >= terms.prior_price:
        yield (
            f"{money.format_money(terms.new_price)} is no reduction: {money.format_money(terms.prior_price)} is the "
            "price that an announcement has to name"
        )


def _hold_together(terms: Terms, other: PriceChange) -> bool:
    """Tell whether a person's change would hold at the same time and place."""
    theirs, span = other.terms, other.span(terms.store)
    if theirs.kind == "price" or terms.kind == "kill_switch" or other.last != "approved" or span is None:
        return False
    same_product = theirs.sku is None or terms.sku in {None, theirs.sku}
    same_store = theirs.store is None or terms.store in {None, theirs.store}
    ends_before = terms.valid_until is not None and terms.valid_until <= span[0]
    return same_product and same_store and not ends_before and (span[1] is None or terms.valid_from < span[1])


def _named(catalog: Catalog, other: PriceChange) -> str:
    terms, end, euros = other.terms, other.terms.valid_until, catalog.store.money.format_money
    what = {
        "override": f"an override at {euros(terms.new_price or 0)}",
        "freeze": f"a freeze at {euros(terms.new_price or 0)}",
        "kill_switch": "the kill switch",
    }[terms.kind]
    clock = catalog.store.clock_of(terms.store)
    until = "until it is withdrawn" if end is None else f"until {clock.local(end):%Y-%m-%d %H:%M}"
    where = f"in {terms.store}" if terms.store else "in every store"
    return f"{other.id}, {what} {where} by {other.proposer}, holds {until}"


Before = dict[tuple[Kind, str | None, str], list[Terms]]
"""The orders of an action so far, by kind, product and store."""


def refuse_overlaps(catalog: Catalog, terms: Sequence[Terms], before: Before) -> None:
    """Refuse two orders of one price in one action: neither is the later one, so nobody could say which holds.

    `before` gains what is not refused.
    """
    for term in terms:
        for store in stores_of(catalog, term.store):
            others = before.setdefault((term.kind, term.sku, store), [])
            if any(_meet(term, other) for other in others):
                raise Declined(
                    f"{place_of(catalog, term.sku, store)}: expected one {term.kind.replace('_', ' ')} at a time, "
                    "found two; nothing was recorded: ask for one"
                )
            others.append(term)


def _meet(some: Terms, other: Terms) -> bool:
    return (some.valid_until is None or other.valid_from < some.valid_until) and (
        other.valid_until is None or some.valid_from < other.valid_until
    )


def place_of(catalog: Catalog, sku: str | None, store: str | None) -> str:
    """Name a product and a store."""
    names = {product.sku: product.name for product in catalog.products}
    return f"{names.get(sku or '', sku or 'every product')} in {store or 'every store'}"
