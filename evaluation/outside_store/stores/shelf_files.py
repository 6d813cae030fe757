"""The outside store as the engine's catalog has to name it: products.yaml and store.yaml."""

import json
from collections.abc import Mapping
from pathlib import Path

from evaluation.outside_store.stores.outside_world import RULES, OutsideWorld
from evaluation.outside_store.stores.till_lines import CLOSES, OPENS


def write_shelf(world: OutsideWorld, folder: Path, more: Mapping[str, object] | None = None) -> None:
    """Write both files into a folder; they hold what the owner knows, and nothing of the demand.

    JSON is YAML, and needs no package. Floor, ceiling and largest step are the owner's rules, in whole cents inside
    the band.

    Parameters
    ----------
    more
        Fields of store.yaml that are added.
    """
    folder.mkdir(parents=True, exist_ok=True)
    products = [
        {
            "sku": sku,
            "name": sku,
            "category": "grocery",
            "icon": "🛒",
            "base_price": price,
            "unit_cost": cost,
            "floor_price": max(cost, -(-round(price * (1 - RULES.band) * 100, 6) // 1) / 100),
            "ceiling_price": round(price * (1 + RULES.band) * 100, 6) // 1 / 100,
            "par_stock": 1000,
        }
        for sku, price, cost in zip(world.skus, world.owner_prices[0].tolist(), world.unit_costs.tolist(), strict=True)
    ]
    store = {
        "currency": "EUR",
        "sales": "outside",
        "stores": list(world.stores),
        "opening": {"opens": f"{OPENS:02d}:00", "closes": f"{CLOSES:02d}:00", "tick_minutes": 60},
        "policies": {"objective": "margin"},
        "guardrails": {"largest_step": RULES.step},
    }
    (folder / "products.yaml").write_text(_text({"products": products}), encoding="utf-8")
    (folder / "store.yaml").write_text(_text(store | dict(more or {})), encoding="utf-8")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
