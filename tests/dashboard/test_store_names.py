"""Stores have names, of any text: people read them on pages, tags and sheets, and commands and files use the id."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from price_shop import Shop

from catalog.currency import EUR
from catalog.errors import CatalogError
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import sheet_of
from dashboard.data.desk.table import DeskQuestion, as_sent
from dashboard.desk.tags import tag_of
from dashboard.formats import show_in, store_name, store_options

KOELN, LONG = "Köln Süd", "Berlin-Schöneberg, Ecke Hauptstraße und Kaiser-Wilhelm-Platz"
NAMES = f"names: {{S01: {KOELN}, S02: '{LONG}'}}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PriceDesk]:
    shop = Shop(tmp_path, more=NAMES).opened()
    show_in(EUR, shop.catalog.store.names)
    yield shop.desk()
    show_in(EUR)


def test_a_name_stands_where_people_look_and_the_id_where_programs_do(desk: PriceDesk) -> None:
    rows = desk.sheet().rows
    milk = rows[0]
    assert (milk.id, milk.title) == ("S01|MILK", "Milk in Köln Süd")
    assert (as_sent(milk, [])["id"], as_sent(milk, [])["store"]) == ("S01|MILK", KOELN)
    assert tag_of(milk, None)["foot"].startswith("Köln Süd, ")
    assert store_options(["S01", "S03"]) == [
        {"value": "S01", "label": "Köln Süd (S01)"},
        {"value": "S03", "label": "S03"},
    ]
    assert len(DeskQuestion(text="köln").found_in(rows)) == len(DeskQuestion(text="s01").found_in(rows)) == 5
    head, first, *_ = sheet_of(rows, "csv").decode("utf-8-sig").splitlines()
    assert head.startswith("store,sku,")
    assert head.endswith("why,store_name")
    assert (first.split(",")[0], first.split(",")[-1]) == ("S01", KOELN)
    show_in(EUR)
    assert "store_name" not in sheet_of(rows, "csv").decode()
    assert store_name("S01") == "S01"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stores: [Köln Süd, S02]", ["stores.0", "such as S01", "at most 32 letters", "'Köln Süd'", "under `names`"]),
        ("stores: [-S1]", ["stores.0", "a letter or digit first", "'-S1'"]),
        ("stores: [S01]\nnames: {S02: Nord}", ["names", "'S02'"]),
        ("stores: [S01]\nnames: {S01: ' '}", ["names.S01", "expected a name on one line, such as Köln Süd"]),
        (f"stores: [S01]\nnames: {{S01: {'x' * 81}}}", ["names.S01", "expected text of 1 to 80 characters"]),
    ],
)
def test_an_id_or_a_name_that_cannot_be_is_refused_in_words(tmp_path: Path, line: str, told: list[str]) -> None:
    def change(folder: Path) -> None:
        file = folder / "store.yaml"
        lines = [own for own in file.read_text(encoding="utf-8").splitlines() if not own.startswith("stores:")]
        file.write_text("\n".join([*lines, line, ""]), encoding="utf-8")

    with pytest.raises(CatalogError) as refused:
        Shop(tmp_path, changed=change)
    assert [part for part in told if part not in str(refused.value)] == []
    assert "pattern" not in str(refused.value)
