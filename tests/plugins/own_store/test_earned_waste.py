"""What drawn prices let stores throw away, against products that were held at the owner's price."""

import datetime as dt
import json
from pathlib import Path

import pytest
from outside_grocer import BEFORE, DRAWN, MONDAY, Grocer
from shell import Terminal

from plugins.own_store.earned import earned_by_draws, record_earned
from warehouse.lake import Partition

WEEKS = 4
HELD, OTHERS = 4, 2
"""Units of each product that a store throws away a day."""


def keeps_two_days(folder: Path) -> None:
    """Let P000 and P002 be of one category and keep two days; of P002 nobody knows what a unit costs."""
    file = folder / "products.yaml"
    lines = [line.replace("group 2", "group 0").replace("unit_cost: 1.80", "unit_cost: 0.00") for line in _lines(file)]
    lives = [
        line.replace("stock: 20", "stock: 20, shelf_life_days: 2") if "P001" not in line else line for line in lines
    ]
    file.write_text("\n".join([*lives, ""]), encoding="utf-8")


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Grocer:
    """Stores that drew for four weeks; where a product was held, they threw away twice as much of it."""
    shop = Grocer(tmp_path_factory.mktemp("shop"), more=DRAWN, n_stores=8, changed=keeps_two_days)
    shop.weeks(WEEKS)
    for day in range(7 * WEEKS):
        tell(shop, MONDAY + dt.timedelta(days=day))
    return shop


def tell(shop: Grocer, date: dt.date, but: tuple[str, str] | None = None) -> None:
    """Publish what each store moved on a date, but one product in one of them."""
    monday = date - dt.timedelta(days=date.weekday())
    rows = shop.lake.read(Partition("price_draws", monday, "all")).to_pylist()
    held = {(row["store_id"], row["sku"]) for row in rows if row["is_held"]}
    places = [(store, sku) for store in shop.catalog.store.stores for sku in ("P000", "P002") if (store, sku) != but]
    spoiled = [HELD if place in held else OTHERS for place in places]
    columns: dict[str, list[object]] = {
        "store_id": [store for store, _ in places],
        "sku": [sku for _, sku in places],
        "expires_on": [date] * len(places),
        "units_delivered": list(spoiled),
        "units_spoiled": list(spoiled),
        "waste_eur": [1.5 * units for units in spoiled],
        "holding_eur": [0.25] * len(places),
        "unit_cost": [1.5] * len(places),
        "is_estimated": [True] * len(places),
    }
    none = ("units_carried", "units_sold", "units_adjusted", "units_kept", "units_on_order")
    shop.publish("stock_movements", date, columns | {name: [0] * len(places) for name in none})


def test_what_a_product_week_threw_away_is_told_beside_profit_with_an_interval(shop: Grocer) -> None:
    waste = earned_by_draws(shop.workspace).waste
    assert waste is not None
    assert waste.drawn.euros == pytest.approx(1.5 * waste.drawn.units)
    assert waste.held.units == pytest.approx(2 * waste.drawn.units, rel=0.5)  # one of three products keeps for ever
    assert waste.change.share == pytest.approx(-0.5, abs=0.2)
    assert waste.change.share_low <= -0.5 <= waste.change.share_high
    assert (waste.n_unknown, waste.change.n_held > 0) == (0, True)


def test_profit_less_waste_is_what_is_left_after_waste_and_nights(shop: Grocer) -> None:
    found = earned_by_draws(shop.workspace)
    assert found.waste is not None
    assert found.waste.less_waste.euros - found.chain.euros == pytest.approx(-found.waste.change.euros, rel=0.3)


def test_the_command_shows_it_and_says_what_is_not_known(shop: Grocer) -> None:
    terminal = Terminal(shop.settings.home, {"SHELFPRICE_CATALOG": str(shop.folder), "SHELFPRICE_NOW": BEFORE})
    answer = terminal("earned")
    assert answer.returncode == 0, answer.stderr
    assert "held at your own prices" in answer.stdout
    assert "profit less waste" in answer.stdout
    assert "What a unit costs is not known of P002" in answer.stderr
    found = json.loads(terminal("earned", "--json").stdout)
    assert found["waste"]["drawn"]["euros"] == pytest.approx(1.5 * found["waste"]["drawn"]["units"])
    assert found["unknown_costs"] == ["P002"]


def test_a_night_says_and_records_it(shop: Grocer) -> None:
    said = record_earned(shop.workspace)
    (sentence,) = [one for one in said if "threw away" in one]
    assert "a week at drawn prices, and" in sentence
    assert "where it was held" in sentence
    rows = shop.lake.read(Partition("earned", max(shop.lake.dates("exposures")), "all")).to_pylist()
    assert {row["scope"] for row in rows} == {"chain", "lately", "week", "category", "store", "waste", "less waste"}


def test_a_product_week_whose_stock_is_not_told_each_day_is_left_out_of_waste_alone(shop: Grocer) -> None:
    before = earned_by_draws(shop.workspace)
    tell(shop, MONDAY + dt.timedelta(days=8), but=("S03", "P002"))
    found = earned_by_draws(shop.workspace)
    assert found.waste is not None
    assert found.waste.n_unknown == 1
    assert found.chain == before.chain
    tell(shop, MONDAY + dt.timedelta(days=8))


def test_without_stock_that_is_told_nothing_is_said_of_waste(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, changed=keeps_two_days)
    shop.weeks(2)
    found = earned_by_draws(shop.workspace)
    assert found.waste is None
    assert found.as_json()["waste"] is None
