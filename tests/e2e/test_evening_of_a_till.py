"""An evening with single commands: take in the day's file, do the night before midnight, send tomorrow's prices."""

import json
from pathlib import Path

import pytest
from shell import Answer, Terminal

pytestmark = pytest.mark.server

PRODUCTS = "products: [{sku: MILK, name: Milk, category: dairy, base_price: 1.29, unit_cost: 1.1}]\n"
STORE = """sales: outside
rehearsal: true
stores: [S01, S02]
timezone: Europe/Berlin
opening: {opens: "08:00", closes: "20:00"}
drawn_prices: {products: all}
"""
COLUMNS = "store_id,receipt,line,sku,sold_at,units,price"


def at(folder: Path, moment: str, *words: str) -> Answer:
    shop = {"SHELFPRICE_CATALOG": str(folder / "shop"), "SHELFPRICE_NOW": f"2026-01-{moment}:00+01:00"}
    answer = Terminal(folder / "home", shop)(*words)
    assert answer.returncode == 0, answer.stderr
    return answer


def sell(folder: Path, days: range) -> None:
    lines = [f"{store},{day},1,MILK,2026-01-{day}T12:00:00+01:00,9,1.29" for day in days for store in ("S01", "S02")]
    (folder / "inbox" / "day.csv").write_text("\n".join([COLUMNS, *lines, ""]), encoding="utf-8")


def test_a_night_before_midnight_closes_the_day_and_draws_prices_for_the_next_opening(
    prefect_server: str, tmp_path: Path
) -> None:
    for name in ("shop", "inbox", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "shop" / "products.yaml").write_text(PRODUCTS, encoding="utf-8")
    (tmp_path / "shop" / "store.yaml").write_text(STORE, encoding="utf-8")
    sell(tmp_path, range(18, 21))
    at(tmp_path, "20T19:30", "take-in", str(tmp_path / "inbox"))
    night = json.loads(at(tmp_path, "20T20:00", "nightly", "--json").stdout)
    assert (night["business_date"], night["prices_for"], night["outcome"]) == ("2026-01-20", "2026-01-21", "priced")
    at(tmp_path, "20T22:30", "export", "--to", str(tmp_path / "labels"))
    sent = [json.loads(file.read_text(encoding="utf-8")) for file in (tmp_path / "labels").glob("*.json")]
    assert {price["valid_from"] for batch in sent for price in batch["prices"]} == {"2026-01-21T07:00:00+00:00"}
    assert len(sent) == 2
