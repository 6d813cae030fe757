"""A chain's catalog of any size, for tests of the monitor; equal sizes give equal files."""

from pathlib import Path
from typing import Any

import yaml

from catalog.load import CLASSIC, load

_CATEGORIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "dairy": ("🥛", ("milk", "yoghurt", "butter", "cream", "cheddar")),
    "bakery": ("🍞", ("rolls", "rye bread", "croissants", "bagels", "toast")),
    "fruit and vegetables": ("🍎", ("apples", "tomatoes", "carrots", "grapes", "salad")),
    "meat and fish": ("🥩", ("mince", "chicken", "salmon", "ham", "sausages")),
    "drinks": ("🧃", ("orange juice", "water", "cola", "iced tea", "coffee")),
    "pantry": ("🍝", ("spaghetti", "rice", "flour", "olive oil", "lentils")),
    "frozen": ("🧊", ("peas", "pizza", "ice cream", "spinach", "berries")),
    "household": ("🧻", ("soap", "paper towels", "detergent", "sponges", "foil")),
}
_MAKES = ("Farm", "Village", "Market", "Harbour", "Hill", "Garden", "Mill")
_DEAREST, _CHEAPEST, _COST_SHARE = 9.0, 0.8, 0.6
_PAR_STOCK, _SPREAD_OF_STOCK = 30, 5
_VISITS_PER_UNIT = 2.0


def write_chain(folder: Path, n_products: int, n_stores: int) -> None:
    """Write `products.yaml` and `store.yaml`: the default store's rules, with another shelf and other stores."""
    shelf = [_product(number) for number in range(n_products)]
    rules = yaml.safe_load((CLASSIC / "store.yaml").read_text(encoding="utf-8"))
    units = sum(product["par_stock"] for product in shelf)
    store = rules | {
        "belief": rules["belief"] | {"visits_per_unit": _VISITS_PER_UNIT},
        "stores": [f"S{number:02d}" for number in range(1, n_stores + 1)],
        "popularity": {},
        "visits_per_day": _VISITS_PER_UNIT * units,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("products.yaml", {"products": shelf}), ("store.yaml", store)):
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        (folder / name).write_text(text, encoding="utf-8")
    load(folder)


def _product(number: int) -> dict[str, Any]:
    """Return one product; names stay different past every combination of make and kind."""
    category = list(_CATEGORIES)[number % len(_CATEGORIES)]
    icon, kinds = _CATEGORIES[category]
    position = number // len(_CATEGORIES)
    kind, make = kinds[position % len(kinds)], _MAKES[position // len(kinds) % len(_MAKES)]
    edition = position // (len(kinds) * len(_MAKES))
    price = round(_CHEAPEST + (number * 37 % 100) / 100 * (_DEAREST - _CHEAPEST), 2)
    return {
        "sku": f"P{number + 1:04d}",
        "name": f"{make} {kind}" + (f" {edition + 1}" if edition else ""),
        "category": category,
        "icon": icon,
        "base_price": price,
        "unit_cost": round(_COST_SHARE * price, 2),
        "par_stock": _PAR_STOCK + _SPREAD_OF_STOCK * (number % _SPREAD_OF_STOCK),
    }
