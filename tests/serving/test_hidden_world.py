"""The planner is not told what only the twin knows: who the shoppers are, who waits, and which days are busy."""

import ast
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import catalog.load as catalogs
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.shoppers import FootfallSettings, Persona
from serving.book.make import tabulate
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import policy_with_model
from serving.store.storefront import storefront_before_champion

PROJECT = Path(catalogs.__file__).parents[1]
PLANNER = (
    *("serving", "features", "training", "etl", "warehouse", "flows"),
    *("dashboard", "plugins/connect", "plugins/desk", "plugins/operations", "plugins/own_store"),
)
HIDDEN = {"personas", "waiting_share", "day_variation", "weekday_factors", "busy_days_seed"}
HIDDEN |= {"demand_effects", "day_shift", "substitution"}
MOMENT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
OTHERS = (Persona(name="other", share=1.0, mean=1.4, standard_deviation=0.1),)


@pytest.mark.parametrize("folder", PLANNER)
def test_nothing_but_the_twin_and_its_examiner_reads_what_is_hidden(folder: str) -> None:
    files = sorted((PROJECT / folder).rglob("*.py"))
    assert files
    read = {
        f"{file.relative_to(PROJECT)}:{node.lineno} {node.attr}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in HIDDEN
        if PROJECT / "etl" / "twin" not in file.parents
    }
    assert read == set()


def other_world(catalog: Catalog) -> Catalog:
    products = tuple(product.model_copy(update={"personas": OTHERS}) for product in catalog.products)
    hidden = {"personas": OTHERS, "waiting_share": 0.5, "footfall": FootfallSettings(day_variation=1.0)}
    return Catalog(products, catalog.store.model_copy(update=hidden))


def test_the_same_curves_and_visits_give_the_same_book_whoever_the_shoppers_are() -> None:
    books = []
    for catalog in (load(CLASSIC), other_world(load(CLASSIC))):
        ladder = price_ladder(catalog)
        chance = np.clip(1.5 - ladder / catalog.base_prices[:, None], 0, 1)
        curves = DemandCurves(catalog.skus, ladder, chance, "1")
        visits = np.full((len(catalog.skus), catalog.store.opening.ticks), 4.0)
        books.append(tabulate(policy_with_model(catalog, curves, visits), catalog, MOMENT, curves))
    assert np.array_equal(books[0].of().prices, books[1].of().prices)
    assert np.array_equal(books[0].of().unit_value, books[1].of().unit_value)


def test_a_store_before_its_first_champion_prices_alike_in_another_world() -> None:
    from etl.twin.store_day import play

    one, other = load(CLASSIC), other_world(load(CLASSIC))
    prices = [
        play(one, storefront_before_champion(catalog), ("S01",), MOMENT.date(), 7).decisions.prices
        for catalog in (one, other)
    ]
    assert np.array_equal(*prices)
