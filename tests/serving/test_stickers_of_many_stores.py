"""Stickers and labels of a chain: stores are told apart more coarsely the more there are, so a day costs no more."""

import numpy as np
import pytest

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from serving.optimise.curves import DemandCurves
from serving.optimise.days_ahead import MixedShelf
from serving.optimise.policies import Asked, PricingPolicy, stock_aware
from tests.serving.test_sticker_prices import WEDNESDAY, policy_of, shop_with_stickers
from tests.serving.test_stock_ahead import curves_of

TICKS = 12
CATALOG = shop_with_stickers(30, 0.5, par_stock=90)


def ask(policy: PricingPolicy, left: int, old: Ints, young: Ints, sold: int = 0, stuck: Floats | None = None) -> Asked:
    """Ask for stores that opened with old and young units and have sold some of the old ones."""
    kept = np.maximum(old - sold, 0)
    stock = (kept + young)[:, None]
    lives = np.stack([old, young, np.zeros_like(old)], axis=-1)[:, None]
    at = (stock, np.full(stock.shape, np.nan), left, np.zeros(stock.shape))
    return policy.ask(Shelf(*at, None, None, 0, lives, WEDNESDAY, stuck, kept[:, None]))


def answers(asked: Asked) -> Floats:
    assert asked.sticker is not None
    assert asked.saving is not None
    return np.stack([asked.prices[:, 0], asked.sticker[:, 0], asked.saving[:, 0]], axis=-1)


def test_three_hundred_stores_are_solved_as_a_few_and_get_nearly_the_prices_that_each_would_get_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelves, choose = set[tuple[int, int]](), MixedShelf.best_sticker

    def counted(shelf: MixedShelf, gains: Floats) -> tuple[float, float]:
        shelves.add((shelf.old, shelf.young))
        return choose(shelf, gains)

    old, young = (own.ravel() for own in np.meshgrid(np.arange(11, 31), np.arange(46, 61)))
    monkeypatch.setattr(MixedShelf, "best_sticker", counted)
    of_chain = answers(ask(policy_of(CATALOG), TICKS, old, young))
    assert 1 < len(shelves) <= 64
    some = np.arange(0, len(old), 37)
    alone = np.concatenate([answers(ask(policy_of(CATALOG), TICKS, old[[at]], young[[at]])) for at in some])
    label, sticker, saving = np.abs(of_chain[some] / alone - 1).mean(axis=0)
    assert max(label, sticker) < 0.03
    assert saving < 0.3  # it grows with the old units, of which a few are more than half a step off
    assert of_chain[some, 2].mean() == pytest.approx(alone[:, 2].mean(), rel=0.2)


@pytest.mark.parametrize("most_young", [41, 42, 43, 50])
def test_young_units_in_batches_fit_the_shelf_that_is_solved_for_their_kind(most_young: int) -> None:
    old, young = (own.ravel() for own in np.meshgrid(np.arange(1, 14), np.arange(most_young - 20, most_young + 1)))
    asked = ask(policy_of(CATALOG), TICKS, old, young)
    assert asked.sticker is not None
    assert np.isfinite(asked.sticker).any()
    assert np.isfinite(asked.unit_value).all()


def test_what_was_asked_before_changes_no_price() -> None:
    catalog, old, young = shop_with_stickers(30, 0.5), np.array([8, 5]), np.array([14, 11])
    stuck = ask(policy_of(catalog), TICKS, old, young).sticker
    assert stuck is not None
    policy = policy_of(catalog)
    for left, sold in ((5, 4), (3, 6), (TICKS, 0), (7, 2)):
        before, fresh = (ask(own, left, old, young, sold, stuck) for own in (policy, policy_of(catalog)))
        np.testing.assert_array_equal(before.prices, fresh.prices)
        np.testing.assert_array_equal(before.unit_value, fresh.unit_value)


@pytest.mark.parametrize("catalog", [load(CLASSIC), CATALOG, shop_with_stickers(30, 0.5)], ids=["classic", "90", "22"])
def test_the_chosen_label_is_the_best_by_what_the_policy_says_that_it_maximises(catalog: Catalog) -> None:
    rng, n_products = np.random.default_rng(5), len(catalog.skus)
    visits = 40 * catalog.popularity[:, None] * np.ones(TICKS)
    curves = DemandCurves(
        catalog.skus, price_ladder(catalog), np.linspace(0.9, 0.1, 20)[None].repeat(n_products, 0), "1"
    )
    policy = stock_aware(catalog, curves if n_products > 1 else curves_of(catalog), visits)
    for left, product in zip(
        rng.integers(1, TICKS + 1, 12).tolist(), rng.integers(0, n_products, 12).tolist(), strict=True
    ):
        old, young = int(rng.integers(1, 9)), int(rng.integers(1, 12))
        stock, units = np.full((1, n_products), rng.integers(1, old + young + 1)), None
        if catalog.counts_evenings:
            units = np.array([[[old, young, 0]]])
        nothing = np.full(stock.shape, np.nan)
        shelf = Shelf(stock, nothing, left, nothing, opened_with=units, business_date=WEDNESDAY)
        worths = policy.worths(shelf, product)
        chosen = np.searchsorted(policy._curves.prices[product], policy.ask(shelf).prices[0, product] - 1e-9)
        assert worths[chosen] == pytest.approx(np.nanmax(worths), rel=1e-9, abs=1e-12)
        assert np.nanmax(worths) > 0
