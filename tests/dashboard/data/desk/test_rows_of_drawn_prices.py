"""The desk of stores that sell by themselves: drawn prices say why they stand, and unknown prices leave a row out."""

import datetime as dt
from pathlib import Path

from outside_grocer import DRAWN, MONDAY, Grocer

from catalog.decisions.rules import RULES
from catalog.load import load
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.reader import Reader
from features.cells import ALL_VIEWS
from plugins.own_store.draws.approved_designs import decide
from warehouse.query.connection import build_file


def test_a_drawn_price_passes_and_says_why_and_a_product_that_never_sold_has_no_row(tmp_path: Path) -> None:
    shop = Grocer(tmp_path, more=f"{DRAWN}approval: {{within_of_base: 0.0}}\n", n_stores=2)
    decide(shop.workspace, None, is_approved=True)
    shop.night(MONDAY - dt.timedelta(days=1))
    file = shop.folder / "products.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text.rstrip()}\n{text.splitlines()[1].replace('P000', 'NEW')}\n", encoding="utf-8")
    catalog = load(shop.folder)
    assert "NEW" in catalog.skus
    build_file(shop.settings, ALL_VIEWS)
    rows = PriceDesk(shop.settings, Reader(shop.settings), lambda: catalog).sheet().rows
    assert {row.sku for row in rows} == {"P000", "P001", "P002"}
    assert {row.state for row in rows} == {"passes"}
    why = {RULES[rule] for rule in ("drawn_price", "held_price", "homeward_price")}
    assert {row.why for row in rows} <= why
