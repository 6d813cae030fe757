"""What products are says how they sell: a forest of it speaks for what has few sales, as far as sales bear it out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from believing import days_sold

from catalog.arrays import Floats, Ints
from catalog.load import CLASSIC, Catalog, load
from features.attributes import attributes_of, telling, with_attributes
from features.prior_forests import PriorForests, ProductForest
from features.stored_model import model_as_data, model_from_data
from serving.belief.gaussian import Knots
from serving.belief.hearing import hear
from serving.belief.sales import Sales
from serving.belief.states import Fit, fit_days
from training.fit.candidates import CANDIDATES, candidates_for, fit, left_out
from training.fit.dataset import Dataset
from training.fit.prior import fit_product_forest
from training.judge.scores import log_loss
from training.mlflow.figures import what_matters

CLASSIC_SHELF = load(CLASSIC)
SETTINGS = CLASSIC_SHELF.store.belief
N_PRODUCTS, N_DAYS = 40, 3
IS_DEAR = np.arange(N_PRODUCTS) % 2 == 1
KINDS = np.where(IS_DEAR, 1.0, -1.0)


def shelf_of(tiers: list[str]) -> Catalog:
    """Return a shelf of products that differ in their tiers alone."""
    like = CLASSIC_SHELF.products[0]
    products = [like.model_copy(update={"sku": f"P{place:02}", "tier": tier}) for place, tier in enumerate(tiers)]
    return Catalog(tuple(products), CLASSIC_SHELF.store)


SHELF = shelf_of(["premium" if is_dear else "value" for is_dear in IS_DEAR])


def sold_by_kind(seed: int = 5) -> tuple[Knots, Sales]:
    """Return sales in which premium products have higher log odds by 2 than others."""
    spread = np.random.default_rng(seed).normal(0, 0.2, N_PRODUCTS)
    return days_sold(CLASSIC_SHELF, np.tile((KINDS + spread)[:, None], N_DAYS), N_PRODUCTS, seed)


@pytest.fixture(scope="module")
def fitted() -> tuple[Knots, Sales, Fit]:
    knots, sales = sold_by_kind()
    return knots, sales, fit_days(SETTINGS, knots, sales)


@pytest.fixture(scope="module")
def forest(fitted: tuple[Knots, Sales, Fit]) -> ProductForest:
    learned = fit_product_forest(SHELF, *fitted)
    assert learned is not None
    return learned


def test_a_product_that_was_never_sold_is_expected_to_sell_as_its_kind_does(forest: ProductForest) -> None:
    longer = shelf_of([*(product.tier or "" for product in SHELF.products), "premium", "value", "unheard of"])
    levels = forest.lines(attributes_of(longer))[:, 0]
    assert levels[N_PRODUCTS] == pytest.approx(1.0, abs=0.25)
    assert levels[N_PRODUCTS + 1] == pytest.approx(-1.0, abs=0.25)
    assert np.abs(levels[:N_PRODUCTS] - KINDS).max() < 0.4
    assert np.abs(forest.lines(attributes_of(longer))[:, 1]).max() < 0.6  # all fall alike with the price


def test_a_stored_forest_says_the_same(forest: ProductForest) -> None:
    stored = PriorForests.from_plain(model_from_data(model_as_data(PriorForests(products=forest).plain()))).products
    assert stored is not None
    assert np.array_equal(stored.lines(attributes_of(SHELF)), forest.lines(attributes_of(SHELF)))


def test_a_product_with_few_sales_is_nearer_to_its_kind_and_the_sales_are_likelier_so(
    fitted: tuple[Knots, Sales, Fit], forest: ProductForest
) -> None:
    knots, sales, alone = fitted
    hearing = hear(alone, knots, SETTINGS, sales, forest.lines(attributes_of(SHELF)), None)
    assert hearing.product_share in (0.5, 1.0, 1.5)
    assert hearing.fit.evidence > alone.evidence + 20
    assert hearing.fit.shape.own < alone.shape.own  # less is left over


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_attributes_that_do_not_matter_nothing_is_believed(seed: int) -> None:
    dice = np.random.default_rng(seed)
    shelf = shelf_of(dice.choice(["value", "standard", "premium"], N_PRODUCTS).tolist())
    levels = np.tile(dice.normal(0, 0.7, N_PRODUCTS)[:, None], N_DAYS)
    knots, sales = days_sold(CLASSIC_SHELF, levels, N_PRODUCTS, seed)
    alone = fit_days(SETTINGS, knots, sales)
    unrelated = fit_product_forest(shelf, knots, sales, alone)
    assert unrelated is not None
    hearing = hear(alone, knots, SETTINGS, sales, unrelated.lines(attributes_of(shelf)), None)
    apart = hearing.fit.effects.curves - alone.effects.curves
    assert np.abs(apart).mean() < 0.05


def test_of_few_products_or_of_products_that_are_alike_there_is_no_forest() -> None:
    knots, sales = days_sold(CLASSIC_SHELF, np.zeros((5, 3)))
    assert fit_product_forest(CLASSIC_SHELF, knots, sales, fit_days(SETTINGS, knots, sales)) is None
    alike = attributes_of(shelf_of(["value"] * 20))
    assert telling(alike, np.ones(20, dtype=bool)) is None


def test_category_brand_tier_tags_size_and_usual_price_are_attributes() -> None:
    milk, *_ = CLASSIC_SHELF.products
    changes = {"brand": "Alm", "tier": "premium", "tags": ("organic", "local")}
    other = milk.model_copy(update={"sku": "OTHER", "base_price": 2 * milk.base_price})
    table = attributes_of(Catalog((milk.model_copy(update=changes), other), CLASSIC_SHELF.store))
    flags = {"brand Alm", "tier premium", "tag organic", "tag local"}
    assert (table.loc["MILK", list(flags)] == 1).all()
    assert (table.loc["OTHER", list(flags)] == 0).all()
    assert table["base price"].diff().iloc[1] == pytest.approx(np.log(2))
    assert (table[f"category {milk.category}"] == 1).all()


def decisions(by_kind: Floats, days: Ints) -> pd.DataFrame:
    """Return demand cells of some days in which each product sells at five prices as its kind does."""
    ratio = np.array([0.8, 0.9, 1.0, 1.1, 1.2])
    product, step, _ = (own.ravel() for own in np.indices((N_PRODUCTS, len(ratio), len(days))))
    chance = 1 / (1 + np.exp(-(by_kind[product] - 6 * (ratio[step] - 1))))
    bought = np.random.default_rng(9).binomial(3, chance)
    return pd.DataFrame(
        {
            "sku": np.array(SHELF.skus)[product],
            "price_offered": ratio[step],
            "price_ratio": ratio[step],
            "inventory_level": 50.0,
            "n_offered": 3,
            "n_purchased": bought,
        }
    )


def test_the_forest_by_attributes_never_rises_with_the_price_and_beats_one_by_products_on_a_long_thin_shelf() -> None:
    training, holdout = decisions(KINDS, np.arange(2)), decisions(KINDS, np.arange(4))
    table = telling(attributes_of(SHELF), np.ones(N_PRODUCTS, dtype=bool))
    day = pd.Timestamp("2026-01-05").date()
    one_hot = tuple(f"sku_{sku}" for sku in SHELF.skus)
    dataset = Dataset(training, holdout, one_hot, day, day, "f", attributes=table)
    loss = {}
    for candidate in candidates_for(dataset):
        model = fit(candidate, dataset, 3)
        chance = np.clip(model.p_sale(holdout), 1e-3, 1 - 1e-3)
        bought, offered = holdout["n_purchased"], holdout["n_offered"]
        loss[candidate.name] = -(bought * np.log(chance) + (offered - bought) * np.log(1 - chance)).sum()
        if candidate.by_attributes:
            dearer = holdout.assign(price_ratio=1.1 * holdout["price_ratio"])
            assert (model.p_sale(dearer) <= model.p_sale(holdout) + 1e-9).all()
            new = holdout.assign(sku="NEW")
            assert np.isfinite(model.p_sale(new)).all()
    assert min(loss, key=lambda name: loss[name]) == "attribute_forest"
    by_attributes = next(candidate for candidate in CANDIDATES if candidate.by_attributes)
    chances, judged = left_out(by_attributes, dataset, 3)
    assert judged["sku"].nunique() == N_PRODUCTS // 5
    assert log_loss(chances, judged) < log_loss(np.full(len(judged), 0.5), judged) - 0.05
    assert candidates_for(replace(dataset, attributes=None)) == list(CANDIDATES[:3])


def test_rows_get_the_attributes_of_their_products_once() -> None:
    table = attributes_of(SHELF)
    rows = pd.DataFrame({"sku": pd.Categorical(["P01", "P00", "GONE"])})
    joined = with_attributes(rows, table)
    assert joined["tier premium"].tolist() == [1.0, 0.0, 0.0]
    assert with_attributes(joined, table) is joined
    assert with_attributes(rows, None) is rows


def test_the_figure_shows_what_tells_products_apart(forest: ProductForest) -> None:
    (panel,) = what_matters(forest, "products").axes
    assert {label.get_text() for label in panel.get_yticklabels()} == {"tier premium", "tier value"}
