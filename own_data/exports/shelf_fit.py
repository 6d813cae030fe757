"""Whether an export fits the shelf that it is looked up on: its stores, and the money that its prices are in."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from catalog.errors import DataError
from catalog.load import DEFAULT_DIR, Catalog
from etl.files.shown import shown
from own_data.exports.columns import plain
from own_data.exports.estimate_shelf import places_on, rewritten, yaml_text
from own_data.exports.names import store_id_of
from own_data.exports.seen import SeenInExport
from own_data.exports.stage import StagedExport

_HUNDREDFOLD = (50.0, 200.0)  # a price this many times the base price, or its inverse, is in another unit of money
_STORES = re.compile(r"^stores: *\[(.*?)\]", re.MULTILINE)
_SHOWN = 3
_CENTS = {"cent", "cents", "ct", "cts", "pence", "minor"}
_EUROS = {"eur", "euro", "euros"}
_DEAR = 50  # the median price from which whole numbers may be cents
_LIKE_GROCERIES = 1.5  # units of a product that a store sells on a day with a sale


def fit_stores(folder: Path, catalog: Catalog, staged: StagedExport, *, add_stores: bool) -> bool:
    """Refuse stores that the shelf's `store.yaml` does not have, or add them when that is asked for.

    Returns
    -------
    bool
        Whether stores were added.

    Raises
    ------
    DataError
        When there are such stores and they are not to be added, or cannot be.
    """
    found = [store_id_of(word) for word in staged.stores.words]
    new = sorted(set(found).difference(catalog.store.stores))
    if not new:
        return False
    shown = ", ".join(new[:_SHOWN]) + (" ..." if len(new) > _SHOWN else "")
    refusal = (
        f"expected stores of {folder / 'store.yaml'}, found {len(new)} others: {shown}; nothing was published: add "
        "them to `stores` there"
    )
    if not add_stores:
        raise DataError(f"{refusal}, or let --add-stores add them")
    text = (folder / "store.yaml").read_text(encoding="utf-8")
    written = _STORES.search(text)
    if written is None or folder == DEFAULT_DIR:
        raise DataError(f"{refusal}; --add-stores changes a file of your own alone, with `stores: [...]` on one line")
    more = ", ".join([*filter(None, [written[1].strip()]), *map(yaml_text, new)])
    rewritten(folder, text[: written.start()] + f"stores: [{more}]" + text[written.end() :])
    return True


def refuse_other_money(catalog: Catalog, staged: StagedExport, seen: SeenInExport) -> None:
    """Refuse prices that are about a hundred times the shelf's, or a hundredth of them, for most products.

    Raises
    ------
    DataError
        With a product's median price beside its base price, and what to say.
    """
    places = places_on(catalog, staged)
    median = seen.median_prices
    place = places[median.index.to_numpy()]
    on_shelf = median[place >= 0]
    if not len(on_shelf):
        return
    at = place[place >= 0]
    fold = on_shelf.to_numpy() / catalog.base_prices[at]
    low, high = _HUNDREDFOLD
    is_more, is_less = (fold >= low) & (fold <= high), (fold <= 1 / low) & (fold >= 1 / high)
    if max(is_more.mean(), is_less.mean()) <= 0.5:  # noqa: PLR2004 - most of the products
        return
    first = int(np.flatnonzero(is_more if is_more.mean() > is_less.mean() else is_less)[0])
    sku, base = catalog.skus[at[first]], catalog.store.money.format_money(catalog.base_prices[at[first]])
    raise DataError(
        f"expected prices like those of the shelf, found a median of {on_shelf.iloc[first]:.2f} for {sku!r}, whose "
        f"base price is {base} ({int((is_more | is_less).sum())} of {len(at)} products are as far off); "
        "nothing was published: say what the file's prices are in with --price-unit cents or --price-unit euros"
    )


def refuse_likely_cents(staged: StagedExport, seen: SeenInExport, theirs: Mapping[str, str], where: str) -> None:
    """Refuse the prices of a first file that look like whole cents, for there is no shelf yet to hold them against.

    They do where all are whole numbers, of several values, and the name of their column says so, or half of the
    products cost 50 or more and yet sell like groceries. A name that says euros settles it.

    Raises
    ------
    DataError
        With a product and its median price, and what to say.
    """
    prices, column = seen.prices["price_offered"].dropna(), theirs.get("price_offered") or theirs.get("revenue", "")
    words, median = set(plain(column).split("_")), seen.median_prices
    if words & _EUROS or not len(median) or (prices != prices.round()).any():
        return
    # Of visits, nothing tells whether what sells is sold by more than a piece or two on a store day.
    sells_much = seen.units_a_sale is None or seen.units_a_sale >= _LIKE_GROCERIES
    is_large = median.median() >= _DEAR and prices.nunique() > 1 and sells_much
    if not (words & _CENTS or is_large):
        return
    typical = median.sort_values(kind="stable").index[len(median) // 2]
    word = staged.products.words[int(typical)]
    raise DataError(
        f"{where}: expected prices in euros, found whole numbers alone in {column!r}, such as a median of "
        f"{median[typical]:.0f} for {shown(word)}, which look like cents; nothing was published: say what they are in "
        "with --price-unit cents or --price-unit euros (for a currency without decimals, too)"
    )
