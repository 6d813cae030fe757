"""What a column means is found out by its name, or said; a doubt is refused, never guessed."""

from pathlib import Path

import pytest

from catalog.errors import CatalogError, DataError
from plugins.own_store.history.columns import Reading, columns_of, read_reading

PROTOTYPE = ["timestamp", "product_name", "price_offered", "inventory_level", "budget_multiplier", "purchased"]
GROCERY = ["visited_at", "store", "week", "household", "sku", "item", "shelf_price", "bought"]


def test_common_names_are_found_out_and_what_means_nothing_is_left_out() -> None:
    assert columns_of(Reading(), GROCERY, "file").theirs == {
        "seen_at": "visited_at",
        "store_id": "store",
        "shopper_id": "household",
        "sku": "sku",
        "product_name": "item",
        "price_offered": "shelf_price",
        "purchased": "bought",
    }
    assert columns_of(Reading(), PROTOTYPE, "file").theirs["seen_at"] == "timestamp"


def test_case_spaces_and_signs_in_a_name_do_not_matter() -> None:
    found = columns_of(Reading(), ["Visited At", "SKU", "Unit-Price", " Bought? "], "file").theirs
    assert found == {"seen_at": "Visited At", "sku": "SKU", "price_offered": "Unit-Price", "purchased": " Bought? "}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        *((name, "brand") for name in ("brand", "Manufacturer", "producer", "make")),
        *((name, "tier") for name in ("Tier", "quality", "Quality tier", "product_tier")),
    ],
)
def test_brand_and_tier_are_found_out_by_their_common_names(theirs: str, ours: str) -> None:
    assert columns_of(Reading(), [*GROCERY, theirs], "file").theirs[ours] == theirs


def test_a_price_tier_may_be_one_of_the_store_and_is_taken_only_where_that_is_said() -> None:
    header = [*GROCERY, "price_tier"]
    assert "tier" not in columns_of(Reading(), header, "file").theirs
    assert columns_of(Reading(columns={"tier": "price_tier"}), header, "file").theirs["tier"] == "price_tier"


def test_what_is_said_goes_before_what_is_found_out_and_is_not_taken_twice() -> None:
    reading = Reading(columns={"product_name": "sku", "purchased": "week"})
    found = columns_of(reading, [*GROCERY], "file").theirs
    assert (found["product_name"], found["purchased"]) == ("sku", "week")
    assert "sku" not in found


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["time", "sku", "price", "bought", "sold"], "both 'bought' and 'sold' could be purchased"),
        (["time", "sku", "price", "bought", "price"], "the column 'price' appears twice"),
        (["time", "sku", "bought"], "expected a column for price_offered"),
        (["time", "price", "bought"], "expected a column for sku or product_name"),
        ([], "found no columns"),
    ],
)
def test_a_header_in_doubt_is_refused_with_its_line(header: list[str], said: str) -> None:
    with pytest.raises(DataError, match=r"shop\.csv line 1") as refused:
        columns_of(Reading(), header, "shop.csv line 1")
    assert said in str(refused.value)


def test_a_column_that_was_said_and_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="expected the column 'when'"):
        columns_of(Reading(columns={"seen_at": "when"}), GROCERY, "file")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns: {moment: time}", "'moment' is not a column that can be mapped"),
        ("columns: {sku: item, product_name: item}", "'item' is mapped to two columns"),
        ("time_zone: Mars/Olympus", "'Mars/Olympus' is not a time zone"),
        ("encoding: base64", "'base64' is not a text encoding"),
        ("decimal: ';'", "decimal"),
        ("delimiter: ';;'", "delimiter"),
        ("column: {}", "column"),
    ],
)
def test_a_mapping_file_with_a_mistake_is_refused_by_field_and_value(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"map\.yaml") as refused:
        read_reading(file, {})
    assert said in str(refused.value)


def test_a_mapping_file_with_a_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("decimal: ','\ndecimal: '.'\n", encoding="utf-8")
    with pytest.raises(CatalogError, match="given twice"):
        read_reading(tmp_path / "map.yaml", {})


def test_options_go_before_the_mapping_file_column_by_column(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("columns: {sku: item, seen_at: time}\ndecimal: ','\n", encoding="utf-8")
    reading = read_reading(
        tmp_path / "map.yaml", {"columns": {"sku": "article"}, "decimal": None, "encoding": "cp1252"}
    )
    assert reading.columns == {"sku": "article", "seen_at": "time"}
    assert (reading.decimal, reading.encoding) == (",", "cp1252")
