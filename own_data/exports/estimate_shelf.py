"""Estimates a shelf and a store from an export, and writes them where a person can read and correct them.

What an export does not say is estimated, and marked as such. The base price is the median price that visits saw, or
that stood on store days where only sales are known; limits leave out one in a hundred of these on either side; a
missing cost is 0, which means not known.
"""

import datetime as dt
import hashlib
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from catalog.load import Catalog
from catalog.records.product import CEILING_RATIO, FLOOR_RATIO
from own_data.exports.names import sku_of, store_id_of
from own_data.exports.seen import SeenInExport
from own_data.exports.stage import StagedExport
from warehouse.files import sync_folder, write_durably

_TOO_MUCH = 1e6  # EUR
_TAIL = 0.01  # share of the visits below the floor, and above the ceiling
_PAR_STOCK, _MOST_STOCK = 100, 30_000
_MOST_PAR_OF_SALES = 1_000  # units, where nobody knows the stock: a price book grows with it
_OPEN_HOURS = slice(8, 20)  # where only days are known
_CHECKSUM = "# As estimated, not yet changed by anyone: "


def places_on(catalog: Catalog, staged: StagedExport) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    """Return the position on the shelf of each product of an export, by sku or by name, -1 for none."""
    by_sku = {sku: position for position, sku in enumerate(catalog.skus)}
    by_name = {product.name: position for position, product in enumerate(catalog.products)}
    places = []
    for code, word in enumerate(staged.products.words):
        name = staged.products.beside.get(code, {}).get("product_name", word)
        found = (by_sku.get(word), by_sku.get(sku_of(word)), by_name.get(word), by_name.get(name))
        places.append(next((place for place in found if place is not None), -1))
    return np.array(places, dtype=np.int64)


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


def write_shelf(folder: Path, staged: StagedExport, seen: SeenInExport, file: str) -> None:
    """Estimate the shelf and the store, and write them durably."""
    found = _products(seen)
    products = "\n".join(_products_yaml(staged, found, file)) + "\n"
    store = "\n".join(_store_yaml(staged, found, seen)) + "\n"
    _write(folder, products, store)


def _write(folder: Path, products: str, store: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / "store.yaml", store)
    write_durably(folder / "products.yaml", f"{products}{_CHECKSUM}{_digest(products + store)}\n")
    sync_folder(folder)


def _products(seen: SeenInExport) -> pd.DataFrame:
    """Return one row for each product that was offered at a plausible price, indexed by its code.

    Columns: `visits`; `usual`, `low` and `high`, EUR; `cost` and `base`, EUR, `stock`, units, and `most`, units a day,
    where they are known.
    """
    counted = seen.prices[(seen.prices["price_offered"] > 0) & (seen.prices["price_offered"] < _TOO_MUCH)]
    visits = counted.groupby("product")["visits"]
    share = visits.cumsum() / visits.transform("sum")
    marks = {"low": _TAIL, "usual": 0.5, "high": 1 - _TAIL}
    found = pd.DataFrame({"visits": visits.sum()})
    for name, mark in marks.items():
        found[name] = counted[share >= mark].groupby("product")["price_offered"].first()
    found = found.join(seen.beside)
    if seen.most_units is not None:
        found["visits"] = found["most"] = seen.most_units
    return found.reindex(columns=["visits", "usual", "low", "high", "cost", "base", "stock", "most"])


def _products_yaml(staged: StagedExport, found: pd.DataFrame, file: str) -> Iterator[str]:
    dates = [dt.date(1970, 1, 1) + dt.timedelta(days=day) for day in (min(staged.spans), max(staged.spans))]
    yield f"# The shelf, estimated from {_plain(file)}, {dates[0]} to {dates[1]}. Read it, and correct it."
    saw = "of the visits saw" if staged.grain == "visits" else "of the store days had"
    yield f"# base_price is the usual price: half {saw} it or a lower one. unit_cost 0 means not known."
    yield "# floor_price and ceiling_price are the range that was seen; widen it to explore more prices."
    yield "products:"
    for code, row in found.iterrows():
        beside = staged.products.beside.get(int(str(code)), {})
        word = staged.products.words[int(str(code))]
        given = not math.isnan(row["base"])
        base = max(0.01, round(float(row["base"] if given else row["usual"]), 2))
        floor, ceiling, source = _limits(base, float(row["low"]), float(row["high"]))
        cost, known = _cost(float(row["cost"]), base)
        floor = max(floor, math.ceil(cost * 100 - 1e-6) / 100)
        yield f"  - sku: {yaml_text(sku_of(word))}"
        yield f"    name: {yaml_text(beside.get('product_name') or word)}"
        yield f"    category: {yaml_text(beside.get('category') or 'unknown')}"
        yield f"    base_price: {base:.2f} # {'as the file says' if given else 'the usual price, estimated'}"
        yield f"    unit_cost: {cost:.4f} # {known}"
        yield f"    floor_price: {floor:.2f} # {source}"
        yield f"    ceiling_price: {ceiling:.2f}"
        stock = row["stock"]
        known_stock = math.isfinite(stock) and stock >= 1
        par, why = _PAR_STOCK, "not known"
        if known_stock:
            par, why = int(min(stock, _MOST_STOCK)), "the highest stock seen"
        elif math.isfinite(row["most"]):
            par, why = int(np.clip(row["most"] / 2, _PAR_STOCK, _MOST_PAR_OF_SALES)), "not known: more than a day sells"
        yield f"    par_stock: {par} # {why}"
        if math.isfinite(row["most"]):
            yield f"    most_units_per_day: {int(row['most'])} # four times the most that a store sold on a day"


def _limits(base: float, low: float, high: float) -> tuple[float, float, str]:
    floor, ceiling = math.floor(low * 100 + 1e-6) / 100, math.ceil(high * 100 - 1e-6) / 100
    if floor >= ceiling:
        return round(FLOOR_RATIO * base, 2) or 0.01, max(base, round(CEILING_RATIO * base, 2)), "never varied: a guess"
    return max(0.01, min(floor, base)), max(ceiling, base), "the range that was seen"


def _cost(cost: float, base: float) -> tuple[float, str]:
    """Return a cost that the shelf can have, and a remark about its source."""
    if not math.isfinite(cost) or cost <= 0:
        return 0.0, "not known"
    if cost > base:
        return 0.0, f"the file says {cost:.4f}, above the usual price: taken as not known"
    return round(cost, 4), "as the file says, on average"


def _store_yaml(staged: StagedExport, found: pd.DataFrame, seen: SeenInExport) -> Iterator[str]:
    hours, is_visits = seen.hours, staged.grain == "visits"
    said = "whole hours with visits" if is_visits else "whole hours with sales"
    if hours is None:
        hours, said = np.zeros(24), "not known: correct them"
        hours[_OPEN_HOURS] = 1.0
    opens, closes = int(np.flatnonzero(hours)[0]), int(np.flatnonzero(hours)[-1]) + 1
    profile = hours[opens:closes] / hours[opens:closes].mean()
    popularity = found["visits"] / found["visits"].mean()
    yield "# The stores, estimated from the same file. All times are UTC; a business date is a date in UTC."
    yield "currency: EUR # amounts are used as they are; columns say EUR"
    yield "sales: outside # their own tills sell; nothing is ever played, and shelf prices stand until prices are drawn"
    yield f"stores: [{', '.join(yaml_text(store_id_of(word)) for word in staged.stores.words)}]"
    yield f'opening: {{opens: "{opens:02d}:00", closes: "{closes:02d}:00", tick_minutes: 15}} # {said}'
    if is_visits:
        visits = seen.prices["rows"].sum() / seen.store_days
        yield f"visits_per_day: {visits:.2f} # decisions per store and day, all products together"
    else:
        yield f"visits_per_day: {found['most'].sum():.2f} # most units a day, all products together"
    yield f"hourly_profile: [{', '.join(f'{weight:.4f}' for weight in profile)}]"
    yield "popularity:"
    for code, weight in popularity.items():
        yield f"  {yaml_text(sku_of(staged.products.words[int(str(code))]))}: {max(weight, 1e-4):.4f}"
    yield "# Nothing in the file says what shoppers would pay; these are never played."
    yield "personas:"
    yield "  - {name: everyone, share: 1.0, mean: 1.0, standard_deviation: 0.25}"


def yaml_text(word: str) -> str:
    """Return a word as YAML that reads back as the same word, on one line."""
    return yaml.safe_dump(word, default_style='"', allow_unicode=True, width=math.inf).strip()


def _plain(name: str) -> str:
    return re.sub(r"[^\w. -]", "?", name)[:80]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
