from pathlib import Path

import pytest

from catalog.contracts import GROUP_NAME, TABLES
from catalog.dictionary import data_dictionary
from catalog.settings import read_settings

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
def test_every_column_says_what_it_means_and_numbers_of_money_say_their_unit(name: str) -> None:
    for column in TABLES[name].columns:
        assert column.meaning, column.name
        assert column.unit or "price" not in column.name or str(column.type) != "double", column.name


def test_the_published_data_dictionary_is_the_one_the_contracts_give() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == data_dictionary()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", "-x", ".x", "a b", "a\n", "a\0", "é", "x" * 65])
def test_no_group_may_have_a_name_that_is_not_plain(name: str) -> None:
    assert not GROUP_NAME.fullmatch(name)


def test_everything_generated_lives_under_one_home(tmp_path: Path) -> None:
    places = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    assert places.home == tmp_path.resolve()
    found = [places.lake, places.warehouse_file, places.locks, places.artifacts, places.prefect_home]
    assert all(place.is_relative_to(places.home) for place in found)
    assert str(places.home) in places.tracking_uri


def test_without_an_environment_home_is_the_folder_data_here() -> None:
    assert read_settings({}).home == Path("data").resolve()
    assert read_settings({"MLFLOW_TRACKING_URI": "http://x"}).tracking_uri == "http://x"


def test_decisions_are_recorded_under_the_name_that_is_set_or_that_of_the_systems_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_settings({"SHELFPRICE_USER": "ana"}).user == "ana"
    monkeypatch.setattr("getpass.getuser", lambda: "ben")
    assert read_settings({}).user == "ben"

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert read_settings({}).user.startswith("user ")
