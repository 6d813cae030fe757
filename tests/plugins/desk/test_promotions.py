"""A promotion from the day on which it is planned to what it brought, at the desk, in SQL and on the command line."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning
from shell import Terminal

from features.cells import ALL_VIEWS
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.request import PriceRequest, ask
from warehouse.query.connection import build_file
from warehouse.query.questions import promotions

_ONE_DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that showed base prices on its first day, and opens next on the day after."""
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish()
    stopped = ask(shop.workspace, PriceRequest("kill_switch", "base prices", store="S01"), "anna").changes[0]
    shop.sell(SHORT_DAY).close()
    decide(shop.workspace, [stopped.id], "withdrawn", "anna")
    shop.publish(DATE + _ONE_DAY)
    build_file(shop.settings, ALL_VIEWS)
    return shop


def promotion(shop: Shop, days_ahead: int, price: float, sku: str = "MILK") -> PriceRequest:
    """Ask for a price in S01 on one day, announced as a reduction."""
    clock, date = shop.catalog.store.clock_of("S01"), DATE + days_ahead * _ONE_DAY
    span = clock.opening_of(date), clock.closing_of(date)
    return PriceRequest("override", "weekend offer", sku, "S01", price, *span, announced=True)


def in_sql(shop: Shop) -> dict[str, dict[str, Any]]:
    return {row["change"]: row for row in promotions(shop.settings)}


def test_a_promotion_is_planned_then_runs_and_is_past_with_what_it_brought(shop: Shop) -> None:
    planned = ask(shop.workspace, promotion(shop, 1, 1.1), "anna").changes[0]
    dropped = ask(shop.workspace, promotion(shop, 3, 0.8, "EGGS"), "anna").changes[0]
    decide(shop.workspace, [dropped.id], "withdrawn", "anna")
    found = in_sql(shop)
    assert {name: row["state"] for name, row in found.items()} == {planned.id: "running", dropped.id: "dropped"}
    assert found[planned.id]["prior_price_eur"] == planned.terms.prior_price == 1.5
    assert found[planned.id]["share_reduced"] == pytest.approx(1 - 1.1 / 1.5)
    shop.sell(SHORT_DAY, date=DATE + _ONE_DAY).close()
    past = in_sql(shop)[planned.id]
    assert past["state"] == "past"
    assert past["count_store_days"] == 1
    assert past["profit_eur"] == pytest.approx(past["count_units"] * (1.1 - shop.catalog.product("MILK").unit_cost))
    assert past["gained_eur"] is not None


def test_the_command_lists_promotions_and_no_other_price(shop: Shop) -> None:
    shell = Terminal(shop.settings.home, {"SHELFPRICE_CATALOG": str(shop.folder)})
    assert "No promotion is planned" in shell("changes", "--promotions").stdout
    later = ask(shop.workspace, promotion(shop, 4, 1.1), "anna").changes[0]
    ask(shop.workspace, PriceRequest("override", "a rival is cheaper", "EGGS", "S01", 1.2), "anna")
    [told] = json.loads(shell("changes", "--promotions", "--json").stdout)["promotions"]
    assert (told["change"], told["state"], told["planned_by"]) == (later.id, "planned", "anna")
    said = shell("changes", "--promotions").stdout
    assert "MILK, S01" in said
    assert "EGGS" not in said
