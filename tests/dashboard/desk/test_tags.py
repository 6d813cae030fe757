"""Price tags: bars that a till scans, and the prior price of an announced reduction as the label names it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from price_shop import DATE, Shop

from catalog.load import CLASSIC, load
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import Row
from dashboard.data.reader import Reader
from dashboard.desk.tags import PATH, bars_of, stickers_of, wire_tags
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.stickers import Sticker

# 96385074, the example of EAN-8: 9, 6, 3 and 8 in set L, then 5, 0, 7 and 4 in set R, between guards.
EAN_8 = "1010001011010111101111010110111010101001110111001010001001011100101"


def modules_of(ean: str) -> str:
    bars = bars_of(ean)
    assert bars is not None
    dark = {int(place) for place in re.findall(r"M(\d+) 0h1v40h-1z", bars["path"])}
    return "".join("1" if place in dark else "0" for place in range(bars["width"]))


def test_the_bars_are_those_of_the_number_between_quiet_zones() -> None:
    assert modules_of("96385074") == "0" * 11 + EAN_8 + "0" * 11


@pytest.mark.parametrize("ean", ["4006381333931", "036000291452"])
def test_an_ean_13_and_a_upc_have_95_modules_and_a_upc_is_an_ean_13_with_a_leading_zero(ean: str) -> None:
    modules = modules_of(ean)
    assert len(modules.strip("0")) == 95
    assert modules == modules_of(ean.zfill(13))


def test_a_case_has_its_number_and_no_bars() -> None:
    assert bars_of("10012345678902") is None


def test_a_tag_names_the_prior_price_while_an_announced_reduction_stands(tmp_path: Path) -> None:
    def with_a_number(folder: Path) -> None:
        file = folder / "products.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("sku: MILK\n", 'sku: MILK\n    ean: "4006381333931"\n', 1), encoding="utf-8")

    shop = Shop(tmp_path, changed=with_a_number).opened()
    desk = PriceDesk(shop.settings, Reader(shop.settings), lambda: load(shop.folder))
    server = Flask(__name__)
    wire_tags(server, desk)
    (before,) = tags_of(server, "Milk")
    assert "tag-prior" not in before
    assert 'aria-label="Barcode of EAN 4006381333931"' in before
    announced = PriceRequest("override", "a week of milk", sku="MILK", store="S01", price=1.2, announced=True)
    (change,) = ask(shop.workspace, announced, "anna").changes
    (after,) = tags_of(server, "Milk")
    prior = change.terms.prior_price
    assert prior is not None
    assert '<p class="tag-price">€1<span class="tag-point">.</span><sup>20</sup></p>' in after
    assert f'<p class="tag-prior">Prior price €{prior:.2f}</p>' in after
    assert f'<p class="tag-cut">−{100 * (1 - 1.2 / prior):.0f} %</p>' in after
    assert all("tag-prior" not in tag for tag in tags_of(server, "Bread"))


def test_each_unit_on_its_last_day_has_a_sticker_with_the_labels_price_and_no_bars() -> None:
    row = Row("S01", "MILK", "Milk", "dairy", DATE, False, 1.5, 1.5, 1.5, None, "", "", "passes", "passes", "", None)
    milk = load(CLASSIC).product("MILK").model_copy(update={"ean": "96385074"})
    assert stickers_of(row, milk) == []
    first, second = stickers_of(replace(row, sticker=Sticker(2, 0.9, 0.3)), milk)
    assert first == second
    assert (first["price"], first["prior"], first["cut"]) == ("€0.90", "instead of €1.50", "−40 %")
    assert first["bars"] is None
    assert first["foot"] == f"Last day, S01, {DATE}"


def test_tags_are_of_the_chosen_prices_or_of_all_that_the_filters_find(tmp_path: Path) -> None:
    shop = Shop(tmp_path).opened()
    desk = shop.desk()
    server = Flask(__name__)
    wire_tags(server, desk)

    def printed(**asked: Any) -> int:
        return server.test_client().get(PATH, query_string=asked).text.count('<article class="tag">')

    rows = desk.sheet().rows
    is_dairy = [row.category == "dairy" for row in rows]
    assert (printed(), printed(store="S01"), printed(category="dairy")) == (len(rows), 5, sum(is_dairy))
    assert (printed(text="milk"), printed(text="milk s02", category="bakery"), printed(state="waits")) == (3, 0, 0)
    assert (printed(price=["S01|MILK", "S02|EGGS"]), printed(store="S99")) == (2, 0)
    changed = len(rows) - int(rows.are_unchanged.sum())
    assert printed(unchanged="false") == changed < len(rows)


def tags_of(server: Flask, name: str) -> list[str]:
    page = server.test_client().get(PATH, query_string={"store": "S01"}).text
    tags = re.findall(r"<article class=\"tag\">.*?</article>", page, re.DOTALL)
    return [tag for tag in tags if f"<h2>{name}</h2>" in tag]
