"""Estimates a shelf and a store from an export, and writes them where a person can read and correct them.

What an export does not say is estimated, and marked as such. The base price is the median price that visits saw, or
that stood on store days where only sales are known; limits leave out one in a hundred of these on either side; a
missing cost is 0, which means not known.
"""

import datetime as dt
import hashlib
import math
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from catalog.errors import DataError
from catalog.load import DEFAULT_DIR, Catalog
from catalog.records.product import CEILING_RATIO, FLOOR_RATIO, LEAST_CHANCES, MOST_CHANCES
from plugins.own_store.files.block import shown
from plugins.own_store.history.columns import plain
from plugins.own_store.history.stage import StagedExport, sku_of, store_id_of
from warehouse.files import sync_folder, write_durably

_FOLD = 4  # most units of a day over the highest that was seen
_PAR_STOCK, _MOST_STOCK = 100, 30_000
_MOST_PAR_OF_SALES = 1_000  # units, where nobody knows the stock: a price book grows with it
_OPEN_HOURS = slice(8, 20)  # where only days are known
_HUNDREDFOLD = (50.0, 200.0)  # a price this many times the base price, or its inverse, is in another unit of money
_STORES = re.compile(r"^stores: *\[(.*?)\]", re.MULTILINE)
_SHOWN = 3
_CENTS = {"cent", "cents", "ct", "cts", "pence", "minor"}
_EUROS = {"eur", "euro", "euros"}
_DEAR = 50  # the median price from which whole numbers may be cents
_LIKE_GROCERIES = 1.5  # units of a product that a store sells on a day with a sale
_CHECKSUM = "# As estimated, not yet changed by anyone: "


def places_on(catalog: Catalog, staged: StagedExport) -> dict[str, int]:
    """Return the position on the shelf of each product of an export that is on it, by its name in the file.

    It is found by sku or by name.
    """
    by_sku = {sku: position for position, sku in enumerate(catalog.skus)}
    by_name = {product.name: position for position, product in enumerate(catalog.products)}
    places = {}
    for own in staged.products:
        word, name = own["word"], own["name"] or own["word"]
        found = (by_sku.get(word), by_sku.get(sku_of(word)), by_name.get(word), by_name.get(name))
        places[word] = next((place for place in found if place is not None), -1)
    return {word: place for word, place in places.items() if place >= 0}


def is_untouched(folder: Path) -> bool:
    """Tell whether the folder holds an estimated shelf that nobody has changed."""
    try:
        *lines, last = (folder / "products.yaml").read_text(encoding="utf-8").splitlines()
        store = (folder / "store.yaml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return last == _CHECKSUM + _digest("\n".join(lines) + "\n" + store)


def rewritten(folder: Path, store: str) -> None:
    """Replace the text of `store.yaml`; a shelf that nobody has changed stays one."""
    untouched = is_untouched(folder)
    products = (folder / "products.yaml").read_text(encoding="utf-8")
    if untouched:
        _write(folder, products[: products.rindex(_CHECKSUM)], store)
    else:
        write_durably(folder / "store.yaml", store)
        sync_folder(folder)


def write_shelf(folder: Path, staged: StagedExport, file: str) -> None:
    """Estimate the shelf and the store, and write them durably."""
    found = [own | {"visits": own["visits"] if own["most"] is None else _most_units(own)} for own in staged.products]
    found = [own for own in found if own["usual"] is not None]
    products = "\n".join(_products_yaml(staged, found, file)) + "\n"
    store = "\n".join(_store_yaml(staged, found)) + "\n"
    _write(folder, products, store)


def _write(folder: Path, products: str, store: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / "store.yaml", store)
    write_durably(folder / "products.yaml", f"{products}{_CHECKSUM}{_digest(products + store)}\n")
    sync_folder(folder)


def _most_units(own: Mapping[str, Any]) -> int:
    """Return what is taken for the most units of a product that a store could sell on a day."""
    return min(max(math.ceil(_FOLD * own["most"]), LEAST_CHANCES), MOST_CHANCES)


def _products_yaml(staged: StagedExport, found: Sequence[Mapping[str, Any]], file: str) -> Iterator[str]:
    dates = [dt.date(1970, 1, 1) + dt.timedelta(days=day) for day in (staged.spans[0], staged.spans[-1])]
    yield f"# The shelf, estimated from {_plain(file)}, {dates[0]} to {dates[1]}. Read it, and correct it."
    saw = "of the visits saw" if staged.grain == "visits" else "of the store days had"
    yield f"# base_price is the usual price: half {saw} it or a lower one. unit_cost 0 means not known."
    yield "# floor_price and ceiling_price are the range that was seen; widen it to explore more prices."
    yield "products:"
    for own in found:
        given = own["base"] is not None and math.isfinite(own["base"])
        base = max(0.01, round(own["base"] if given else own["usual"], 2))
        floor, ceiling, source = _limits(base, own["low"], own["high"])
        cost, known = _cost(own["cost"], base)
        floor = max(floor, math.ceil(cost * 100 - 1e-6) / 100)
        yield f"  - sku: {yaml_text(sku_of(own['word']))}"
        yield f"    name: {yaml_text(own['name'] or own['word'])}"
        yield f"    category: {yaml_text(own['category'] or 'unknown')}"
        yield from (f"    {field}: {yaml_text(own[field])}" for field in ("brand", "tier") if own[field])
        yield f"    base_price: {base:.2f} # {'as the file says' if given else 'the usual price, estimated'}"
        yield f"    unit_cost: {cost:.4f} # {known}"
        yield f"    floor_price: {floor:.2f} # {source}"
        yield f"    ceiling_price: {ceiling:.2f}"
        stock, par, why = own["stock"], _PAR_STOCK, "not known"
        if stock is not None and math.isfinite(stock) and stock >= 1:
            par, why = int(min(stock, _MOST_STOCK)), "the highest stock seen"
        elif own["most"] is not None:
            par = int(min(max(own["visits"] / 2, _PAR_STOCK), _MOST_PAR_OF_SALES))
            why = "not known: more than a day sells"
        yield f"    par_stock: {par} # {why}"
        if own["most"] is not None:
            yield f"    most_units_per_day: {own['visits']} # four times the most that a store sold on a day"


def _limits(base: float, low: float, high: float) -> tuple[float, float, str]:
    floor, ceiling = math.floor(low * 100 + 1e-6) / 100, math.ceil(high * 100 - 1e-6) / 100
    if floor >= ceiling:
        return round(FLOOR_RATIO * base, 2) or 0.01, max(base, round(CEILING_RATIO * base, 2)), "never varied: a guess"
    return max(0.01, min(floor, base)), max(ceiling, base), "the range that was seen"


def _cost(cost: float | None, base: float) -> tuple[float, str]:
    """Return a cost that the shelf can have, and a remark about its source."""
    if cost is None or not math.isfinite(cost) or cost <= 0:
        return 0.0, "not known"
    if cost > base:
        return 0.0, f"the file says {cost:.4f}, above the usual price: taken as not known"
    return round(cost, 4), "as the file says, on average"


def _store_yaml(staged: StagedExport, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seen, is_visits = staged.seen, staged.grain == "visits"
    said = "whole hours with visits" if is_visits else "whole hours with sales"
    hours = np.zeros(24)
    for hour, weight in seen["hours"] or []:
        hours[int(hour)] = weight
    if not is_visits and not hours[1:].any():
        said = "not known: correct them"
        hours[_OPEN_HOURS] = 1.0
    opens, closes = int(np.flatnonzero(hours)[0]), int(np.flatnonzero(hours)[-1]) + 1
    profile = hours[opens:closes] / hours[opens:closes].mean()
    mean = sum(own["visits"] for own in found) / len(found)
    yield "# The stores, estimated from the same file. All times are UTC; a business date is a date in UTC."
    yield "currency: EUR # amounts are used as they are; columns say EUR"
    yield "sales: outside # their own tills sell; nothing is ever played, and shelf prices stand until prices are drawn"
    yield f"stores: [{', '.join(yaml_text(store_id_of(word)) for word in staged.stores)}]"
    yield f'opening: {{opens: "{opens:02d}:00", closes: "{closes:02d}:00", tick_minutes: 15}} # {said}'
    if is_visits:
        visits = seen["count_rows"] / seen["count_store_days"]
        yield f"visits_per_day: {visits:.2f} # decisions per store and day, all products together"
    else:
        yield f"visits_per_day: {mean * len(found):.2f} # most units a day, all products together"
    yield f"hourly_profile: [{', '.join(f'{weight:.4f}' for weight in profile)}]"
    yield "popularity:"
    for own in found:
        yield f"  {yaml_text(sku_of(own['word']))}: {max(own['visits'] / mean, 1e-4):.4f}"
    yield "# Nothing in the file says what shoppers would pay; these are never played."
    yield "personas:"
    yield "  - {name: everyone, share: 1.0, mean: 1.0, standard_deviation: 0.25}"


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
    found = [store_id_of(word) for word in staged.stores]
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


def refuse_other_money(catalog: Catalog, staged: StagedExport) -> None:
    """Refuse prices that are about a hundred times the shelf's, or a hundredth of them, for most products.

    Raises
    ------
    DataError
        With a product's median price beside its base price, and what to say.
    """
    places = places_on(catalog, staged)
    median = {places[own["word"]]: own["median"] for own in staged.products if own["word"] in places and own["median"]}
    fold = {place: price / catalog.base_prices[place] for place, price in median.items()}
    low, high = _HUNDREDFOLD
    more = [place for place in fold if low <= fold[place] <= high]
    less = [place for place in fold if 1 / high <= fold[place] <= 1 / low]
    found = max(more, less, key=len)
    if 2 * len(found) <= len(fold):
        return
    sku, base = catalog.skus[found[0]], catalog.store.money.format_money(catalog.base_prices[found[0]])
    raise DataError(
        f"expected prices like those of the shelf, found a median of {median[found[0]]:.2f} for {sku!r}, whose "
        f"base price is {base} ({len(more) + len(less)} of {len(fold)} products are as far off); "
        "nothing was published: say what the file's prices are in with --price-unit cents or --price-unit euros"
    )


def refuse_likely_cents(staged: StagedExport, where: str) -> None:
    """Refuse the prices of a first file that look like whole cents, for there is no shelf yet to hold them against.

    They do where all are whole numbers, of several values, and the name of their column says so, or half of the
    products cost 50 or more and yet sell like groceries. A name that says euros settles it.

    Raises
    ------
    DataError
        With a product and its median price, and what to say.
    """
    column = staged.theirs.get("price_offered") or staged.theirs.get("revenue", "")
    words, seen = set(plain(column).split("_")), staged.seen
    medians = sorted((own["median"], own["word"]) for own in staged.products if own["median"] is not None)
    if words & _EUROS or not medians or not seen["are_whole"]:
        return
    # Of visits, nothing tells whether what sells is sold by more than a piece or two on a store day.
    sells_much = seen["units_a_sale"] is None or seen["units_a_sale"] >= _LIKE_GROCERIES
    is_large = statistics.median(price for price, _ in medians) >= _DEAR and seen["count_prices"] > 1 and sells_much
    if not (words & _CENTS or is_large):
        return
    price, word = medians[len(medians) // 2]
    raise DataError(
        f"{where}: expected prices in euros, found whole numbers alone in {column!r}, such as a median of "
        f"{price:.0f} for {shown(word)}, which look like cents; nothing was published: say what they are in "
        "with --price-unit cents or --price-unit euros (for a currency without decimals, too)"
    )


def yaml_text(word: str) -> str:
    """Return a word as YAML that reads back as the same word, on one line."""
    return yaml.safe_dump(word, default_style='"', allow_unicode=True, width=math.inf).strip()


def _plain(name: str) -> str:
    return re.sub(r"[^\w. -]", "?", name)[:80]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
