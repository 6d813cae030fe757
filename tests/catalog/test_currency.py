"""Prices in the smallest unit of any currency: whole units whatever is asked for, and written with their digits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from catalog.bounds import not_above, not_below
from catalog.currency import EUR, Currency, currency_of
from catalog.decisions.pricing import Shelf
from catalog.errors import CatalogError
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load, restored
from catalog.records.product import Product
from plugins.desk.price_changes.proposals import passing
from serving.limits.limits import ShelfLimits, limits_of
from serving.optimise.policies import policy_without_model

SHELF = """products:
  - {{sku: MILK, name: Milk, category: dairy, base_price: {base}, unit_cost: {cost}}}
  - {{sku: BREAD, name: Bread, category: bakery, base_price: {base}, unit_cost: 0.0}}
"""
STORES = {"JPY": ("128", "80.5"), "EUR": ("1.29", "0.805"), "KWD": ("0.455", "0.2105"), "USD": ("1.29", "0.805")}
currencies = st.sampled_from([currency_of(code) for code in STORES])


def shelf_in(folder: Path, code: str, frozen: float | None = None, base: str | None = None) -> Catalog:
    folder.mkdir(parents=True, exist_ok=True)
    usual, cost = STORES[code]
    (folder / "products.yaml").write_text(SHELF.format(base=base or usual, cost=cost), encoding="utf-8")
    store = yaml.safe_load((CLASSIC / "store.yaml").read_text(encoding="utf-8"))
    store |= {"currency": code, "popularity": {}, "guardrails": {"frozen": {} if frozen is None else {"MILK": frozen}}}
    (folder / "store.yaml").write_text(yaml.safe_dump(store), encoding="utf-8")
    return load(folder)


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Catalog]:
    folder = tmp_path_factory.mktemp("shelves")
    return {code: shelf_in(folder / code, code) for code in STORES}


@examples(deadline=None, max_examples=60)
@given(
    currencies,
    st.lists(st.floats(0.0001, 900), min_size=2, max_size=2),
    st.sampled_from([None, 0, 5, 9]),
    st.sampled_from([None, 0.13, 0.5]),
    st.sampled_from([0.0, 0.07]),
)
def test_no_price_is_ever_off_the_smallest_unit(
    shelves: dict[str, Catalog],
    money: Currency,
    asked: list[float],
    ending: int | None,
    step: float | None,
    margin: float,
) -> None:
    catalog = shelves[money.code]
    changes = {"price_ending": ending, "largest_step": step, "largest_daily_move": step, "minimum_margin": margin}
    rails = catalog.store.guardrails.model_copy(update=changes)
    limited = replace(catalog, store=catalog.store.model_copy(update={"guardrails": rails}))
    shown = catalog.base_prices[None]
    shelf = Shelf(np.full((1, 2), 3), shown, 4, np.zeros((1, 2)), shown, ("S01",))
    found = ShelfLimits(limits_of(limited), shelf).apply(np.array([asked]))
    prices = [
        *found.ravel(),
        *price_ladder(limited).ravel(),
        *policy_without_model(limited, "rule").ask(shelf).prices[0],
    ]
    prices += np.concatenate(passing(limited, slice(None), limited.base_prices)).tolist()
    assert all(money.is_whole(float(price)) for price in prices)
    assert (found >= limits_of(limited).bounds.floors - 1e-9).all()


@given(currencies, st.floats(0.01, 9_000), st.sampled_from([None, 0, 9]))
def test_the_next_price_is_a_whole_one_with_the_ending_and_the_nearest(
    money: Currency, price: float, ending: int | None
) -> None:
    below, above = (float(one(np.array([price]), ending, money)[0]) for one in (not_above, not_below))
    assert below <= price + 1e-6
    assert price <= above + 1e-6
    between = 1 if ending is None else 10
    assert above - below <= between * money.smallest + 1e-6
    for found in (below, above):
        assert money.is_whole(found)
        assert ending is None or round(found * money.scale) % 10 == ending


def test_digits_and_symbols_are_those_of_the_currency() -> None:
    assert [currency_of(code).format_money(120) for code in ("JPY", "EUR", "KWD")] == [
        "120 JPY",
        "120.00 EUR",
        "120.000 KWD",
    ]
    assert [currency_of(code).symbol for code in ("JPY", "EUR", "KWD")] == ["¥", "€", "KWD\N{NO-BREAK SPACE}"]
    assert currency_of("EUR") is EUR


def test_floors_and_ceilings_by_default_are_prices_of_the_currency_and_stand_in_the_catalog(tmp_path: Path) -> None:
    catalog = shelf_in(tmp_path, "JPY")
    assert [catalog.products[0].floor, catalog.products[0].ceiling] == [
        int(catalog.products[0].floor),
        int(catalog.products[0].ceiling),
    ]
    assert restored(*catalog.as_json) == catalog
    assert restored(*shelf_in(tmp_path, "KWD").as_json).products[0].base_price == 0.455


@examples(deadline=None, max_examples=60)
@given(currencies, st.integers(1, 100_000), st.floats(0, 1))
def test_limits_that_are_not_written_cover_the_cost_of_any_base_price_and_contain_it(
    money: Currency, units: int, share: float
) -> None:
    base = units / money.scale
    cost = base * share
    values = {"sku": "X", "name": "X", "category": "x", "base_price": base, "unit_cost": cost}
    floor, ceiling = Product.model_validate(values, context={"currency": money}).limits_in(money)
    assert max(cost - 1e-6 / money.scale, money.smallest) <= floor <= base <= ceiling
    assert money.is_whole(floor)
    assert money.is_whole(ceiling)


def test_a_shelf_with_small_margins_loads_without_a_floor(tmp_path: Path) -> None:
    milk, bread = shelf_in(tmp_path, "KWD", base="0.211").products
    assert (milk.floor, bread.floor) == (0.211, 0.148)


@pytest.mark.parametrize(
    ("code", "base", "frozen", "said"),
    [
        ("JPY", "128.5", None, "a price on a shelf is in whole 1 JPY, found 128.5"),
        ("KWD", "0.4555", None, "a price on a shelf is in whole 0.001 KWD, found 0.4555"),
        ("EUR", "1.295", None, "a price on a shelf is in whole cents, found 1.295"),
        ("JPY", None, 120.5, r"guardrails\.frozen\.MILK: a price on a shelf is in whole 1 JPY, found 120.5"),
    ],
)
def test_prices_between_two_smallest_units_are_refused(
    tmp_path: Path, code: str, base: str | None, frozen: float | None, said: str
) -> None:
    with pytest.raises(CatalogError, match=said):
        shelf_in(tmp_path, code, frozen, base)


def test_a_code_that_is_none_is_refused(tmp_path: Path) -> None:
    shelf_in(tmp_path, "EUR")
    file = tmp_path / "store.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("currency: EUR", "currency: XAU"), encoding="utf-8")
    with pytest.raises(CatalogError, match="currency: expected a code of ISO 4217 such as EUR, USD or JPY"):
        load(tmp_path)
