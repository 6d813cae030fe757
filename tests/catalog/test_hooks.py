"""What the core does where a plugin is missing, as after an update without `make install`: it forgets no order."""

import ast
import datetime as dt
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from price_shop import Shop

from catalog import hooks
from catalog.errors import SettingError
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from serving.limits import orders as order_book
from serving.store.in_force import pricing_on
from warehouse.lake import Lake

DATE = dt.date(2026, 1, 19)


@pytest.fixture
def without_wings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_registered", lambda _name: ())


def test_what_is_installed_is_looked_through_once_for_all_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[str]()

    def noted() -> Any:
        looked.append("once")
        return entry_points()

    monkeypatch.setattr(hooks, "entry_points", noted)
    for kept in (hooks._registered, hooks._installed):
        kept.cache_clear()
    asked = (hooks.ORDERS, hooks.SELLERS, hooks.ORDERS, hooks.Hook("without_a_plugin"))
    assert [len(hook.all()) for hook in asked] == [1, 1, 1, 0]
    assert looked == ["once"]


def test_a_lake_in_which_people_ordered_something_is_refused_where_nothing_reads_it(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shop = Shop(tmp_path)
    ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong"), "anna")
    assert order_book.orders_on(shop.lake, shop.catalog, DATE).stops_everything
    request.getfixturevalue("without_wings")
    with pytest.raises(SettingError, match=r"shelfprice\.orders, found none; nothing was done: run `make install`"):
        order_book.orders_on(shop.lake, shop.catalog, DATE)
    with pytest.raises(SettingError):
        order_book.at_once_now(shop.lake, {"S01": dt.datetime(2026, 1, 19, 8, tzinfo=dt.UTC)})


def test_the_twins_lake_without_orders_needs_no_wing(tmp_path: Path, without_wings: None) -> None:
    shop = Shop(tmp_path)
    assert order_book.orders_on(shop.lake, shop.catalog, DATE).orders == ()
    assert pricing_on(shop.lake, shop.catalog, DATE).book_made_for is None


def test_a_retailers_lake_is_refused_where_nothing_reads_its_prices(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shop, file = Shop(tmp_path), tmp_path / "units.csv"
    file.write_text("date,store,sku,price,qty\n2026-01-05,S01,A,2.00,5\n2026-01-06,S01,A,2.00,5\n", encoding="utf-8")
    ingest(shop.settings, file, Reading(), None, dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
    request.getfixturevalue("without_wings")
    with pytest.raises(SettingError, match="sales from outside: expected an installed package"):
        pricing_on(Lake(shop.settings), shop.catalog, DATE)


def test_the_core_starts_no_module_of_a_wing_by_its_name_either() -> None:
    contracts = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    core, of_wings = next(
        (one["source_modules"], one["forbidden_modules"]) for one in contracts if "no plugin" in one["name"]
    )
    named = {
        f"{path}: {text.value}"
        for folder in core
        for path in Path(folder).rglob("*.py")
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        if re.fullmatch(rf"({'|'.join(of_wings)})(\.\w+)+", text.value)
    }

    assert not named
