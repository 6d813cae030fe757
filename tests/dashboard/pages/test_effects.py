"""What came of the prices that people decided on: at the desk, and in `shelfprice earned`."""

import json
from pathlib import Path

import pytest
from price_shop import SHORT_DAY, Shop, open_in_the_morning
from shell import Terminal

from dashboard.desk.changes import effects_card
from plugins.desk.price_changes.request import PriceRequest, ask


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, changed=open_in_the_morning).opened(0)


def test_an_override_that_shoppers_met_is_told_with_the_forecast_and_a_bound_at_the_desk_and_in_earned(
    shop: Shop,
) -> None:
    player = shop.sell(1)
    ask(shop.workspace, PriceRequest("override", "a rival is cheaper", sku="MILK", store="S01", price=1.29), "anna")
    shop.sell(SHORT_DAY, player).close()
    text = str(effects_card(shop.monitor()))
    assert "Milk in S01 at" in text
    assert "override" in text
    assert "anna, Mon 19 Jan 2026" in text
    assert "In all (1)" in text
    assert "\u00b1" in text
    shell = Terminal(shop.settings.home, {"SHELFPRICE_CATALOG": str(shop.folder)})
    said = shell("earned")
    assert said.returncode == 0, said.stderr
    assert "Prices that people set or approved" in said.stdout
    [effect] = json.loads(shell("earned", "--json").stdout)["price_effects"]
    assert (effect["kind"], effect["sku"], effect["price_eur"]) == ("override", "MILK", 1.29)


def test_without_a_price_that_somebody_met_there_is_no_card_and_earned_asks_for_draws(shop: Shop) -> None:
    assert effects_card(shop.monitor()) is None
    said = Terminal(shop.settings.home, {"SHELFPRICE_CATALOG": str(shop.folder)})("earned")
    assert said.returncode == 1
    assert "expected prices that were drawn" in said.stderr
