from pathlib import Path

import pytest

from catalog.tables.contracts import GROUP_NAME, TABLES, data_dictionary

DICTIONARY = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_key_that_consists_of_its_columns(name: str) -> None:
    table = TABLES[name]
    columns = [column.name for column in table.columns]
    assert table.name == name
    assert table.key
    assert set(table.key) <= set(columns)
    assert len(set(columns)) == len(columns)
    assert "business_date" not in columns
    assert table.schema.names == columns


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means_and_every_number_its_unit(name: str) -> None:
    for column in TABLES[name].columns:
        assert column.meaning, column.name
        assert column.unit, column.name


def test_the_published_data_dictionary_is_the_one_the_contracts_give() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == data_dictionary()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "-x", ".x", "a b", "a\n", "a\0", "é", "x" * 65])
def test_no_group_may_have_a_name_that_is_not_plain(name: str) -> None:
    assert not GROUP_NAME.fullmatch(name)
