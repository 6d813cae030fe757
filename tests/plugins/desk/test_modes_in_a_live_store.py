"""A store that sells live keeps the catalog's modes, and people's orders go before them as before any other limit."""

from pathlib import Path

import pytest
from price_shop import DATE, Shop, open_in_the_morning

from catalog.errors import Declined
from catalog.load import load
from etl.calendar import stores_now
from etl.open_days import LiveDay
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.standing import Standing, standings
from plugins.operations.replay.day import replay

OVERRIDE = PriceRequest("override", "a competitor is cheaper", sku="MILK", store="S01", price=1.35)


def shop_with(folder: Path, mode: str) -> Shop:
    def change(catalog: Path) -> None:
        open_in_the_morning(catalog)
        file = catalog / "store.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("guardrails:\n", f"guardrails:\n  {mode}\n"), encoding="utf-8")

    shop = Shop(folder, changed=change)
    shop.publish()
    return shop


def held(shop: Shop) -> Standing:
    catalog = load(shop.folder)
    found = standings(shop.lake, catalog, stores_now(shop.lake, catalog, ["S01"]))["S01"].of("MILK")
    assert found is not None
    return found


def test_an_event_stands_wherever_anybody_asks_gives_way_to_a_person_and_is_replayed(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, f"frozen_during: [{{first: {DATE}, prices: {{MILK: 1.29}}}}]")
    player = shop.sell(3)
    assert (held(shop).price, held(shop).rule, held(shop).order) == (1.29, "event", None)
    order = ask(shop.workspace, OVERRIDE, "anna").changes[0]
    assert (held(shop).price, held(shop).rule, held(shop).by) == (1.35, "override", "anna")
    shop.sell(6, player)
    decide(shop.workspace, [order.id], "withdrawn", "anna")
    assert (held(shop).price, held(shop).rule) == (1.29, "event")
    shop.sell(12, player).close()
    changes = [(row["tick"], row["new_price"], row["binding_rule"]) for row in milk_of(shop)]
    assert changes == [(0, 1.29, "event"), (3, 1.35, "override"), (6, 1.29, "event")]
    assert all(row["clamp_cost"] is not None for row in milk_of(shop))
    assert all(part.is_same for part in replay(shop.settings, DATE) if part.part == "decisions")


def test_an_event_that_is_taken_out_of_the_catalog_gives_way_to_the_policy_at_the_next_tick(tmp_path: Path) -> None:
    mode = f"frozen_during: [{{first: {DATE}, prices: {{MILK: 1.29}}}}]"
    shop = shop_with(tmp_path, mode)
    player = shop.sell(3)
    file = shop.folder / "store.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(mode, "frozen_during: []"), encoding="utf-8")
    assert held(shop).price != 1.29
    shop.sell(4, player)
    assert shop.price_in(3) != 1.29


def test_a_persons_change_counts_and_none_being_left_its_price_stands_after_it_was_withdrawn(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, "changes_per_day: 1")
    player = shop.sell(1)
    order = ask(shop.workspace, OVERRIDE, "anna").changes[0]
    shop.sell(4, player)
    decide(shop.workspace, [order.id], "withdrawn", "anna")
    assert held(shop).price == 1.35
    shop.sell(12)  # another process takes over
    assert [(row["tick"], row["new_price"]) for row in milk_of(shop)][1:] == [(1, 1.35)]


def test_who_orders_a_price_above_the_base_price_of_a_markdown_is_told_before_it_is_recorded(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, "markdown_only: [dairy]")
    above = PriceRequest("override", "milk is scarce", sku="MILK", store="S01", price=1.75, ignore_conflicts=False)
    with pytest.raises(Declined, match=r"no markdown from its base price, .*1.50"):
        ask(shop.workspace, above, "anna")
    ask(shop.workspace, PriceRequest("override", "bread is scarce", sku="BREAD", store="S01", price=1.20), "anna")


def milk_of(shop: Shop) -> list[dict[str, object]]:
    day = LiveDay("S01", DATE)
    part = day.part("repricings") if day.is_closed(shop.lake) else day.part("live_repricings")
    return [row for row in shop.lake.read(part).to_pylist() if row["sku"] == "MILK"]
