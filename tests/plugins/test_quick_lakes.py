"""What is copied is what would be made: the first files of a lake byte for byte, the views for the same products."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from quick_lakes import first_files

from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings, read_settings
from flows.workspace import prepared
from training.mlflow.database import make_first
from warehouse import connection
from warehouse.lake import Lake


def test_a_lake_whose_first_files_were_copied_is_that_which_publishing_makes(settings: Settings) -> None:
    lake = Lake(settings)
    lake.prepare()
    assert files_under(lake.root) == first_files()


def test_a_lake_that_holds_something_is_left_to_publishing(tmp_path: Path) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    lake.root.mkdir()
    lake.prepare()
    assert files_under(lake.root) == first_files()


def files_under(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_a_file_of_views_is_made_once_for_each_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def skus_in_views(home: str, catalog: Catalog) -> set[str]:
        settings = prepared(read_settings({"SHELFPRICE_HOME": str(tmp_path / home)}), catalog).settings
        with connection.read_only(settings) as views:
            return {name.removeprefix("sku_") for name, *_ in views.execute("describe product_one_hot").fetchall()[1:]}

    whole = load(CLASSIC)
    shelves = (whole, Catalog(whole.products[1:], whole.store.model_copy(update={"popularity": {}})))
    for time in ("first", "again"):
        for number, shelf in enumerate(shelves):
            assert skus_in_views(f"{time} {number}", shelf) == set(shelf.skus)
        monkeypatch.setattr("quick_lakes.really_write", None)


def test_mlflows_first_database_is_made_once_for_each_place_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(name: str, artifacts: Path) -> Path:
        make_first(f"sqlite:///{tmp_path / name}", str(artifacts))
        with closing(sqlite3.connect(tmp_path / name)) as database:
            (place,) = database.execute("select artifact_location from experiments").fetchone()
        assert place == str(artifacts / "0")
        return tmp_path / name

    first, other = made("first.db", tmp_path / "one"), made("other.db", tmp_path / "two")
    monkeypatch.setattr("quick_lakes.really_make", None)
    assert made("again.db", tmp_path / "one").read_bytes() == first.read_bytes() != other.read_bytes()
