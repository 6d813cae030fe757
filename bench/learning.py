"""How close a forest comes to the truth, and what its prices earn.

Forests that look at stock are asked at the deciles of the stock that decisions were made at, and averaged: asked
with the shelf full alone, at the edge of what they have seen, they would look worse than they are.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import rel_entr

from bench.measure import Measurement, Otherwise, say
from bench.serving import ladder_rows
from bench.world import World, temporary_world
from catalog.arrays import Floats
from catalog.ladder import price_ladder
from catalog.load import Catalog
from simulation.truth import chance_of_sale
from training.candidates import CANDIDATES, FittedModel, fit

_SEEDS = range(1, 6)
_SETTINGS = (
    ("2,000 decisions", 2, 2, 1.0, None, None),
    ("20,000 decisions", 8, 5, 1.0, 0.004, 0.985),
    ("20,000, exploring half the time", 8, 5, 0.5, None, None),
)
_DECILES = np.arange(0.05, 1.0, 0.1)
_GRID = 5_001
_SURE = 1e-6  # as in training.judge


def quality() -> Iterator[Measurement]:
    """Excess log loss at the ladder and share of the best revenue, mean of five seeds."""
    for label, n_stores, days, share, loss_target, revenue_target in _SETTINGS:
        say(f"  learning from {label}")
        runs = [_scores(n_stores, days, share, seed) for seed in _SEEDS]
        mean = {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}
        (loss, revenue), others = mean.pop("demand_forest"), mean
        losses = tuple(Otherwise(name, float(values[0])) for name, values in others.items())
        revenues = tuple(Otherwise(name, float(values[1])) for name, values in others.items())
        yield Measurement("learn", f"excess log loss, {label}", float(loss), "nats", losses, loss_target)
        yield Measurement("learn", f"share of best revenue, {label}", float(revenue), "share", revenues, revenue_target)


def _scores(n_stores: int, days: int, share: float, seed: int) -> dict[str, tuple[float, float]]:
    """Excess log loss and share of the best revenue of each candidate."""
    with temporary_world() as world:
        for day in range(days):
            world.play_day(n_stores, day, share=share, seed=seed)
        world.transform()
        dataset = world.dataset(days)
    cells = dataset.training.sort_values("inventory_level")
    seen = (cells["n_offered"].cumsum() / cells["n_offered"].sum()).to_numpy()
    stocks = cells["inventory_level"].to_numpy()[np.searchsorted(seen, _DECILES)]
    scores = {}
    for candidate in CANDIDATES:
        fitted = fit(candidate, dataset, seed)
        loss, revenue = np.mean([_against_truth(world, fitted, int(stock)) for stock in stocks], axis=0)
        scores[candidate.name] = (float(loss), float(revenue))
    return scores


def _against_truth(world: World, fitted: FittedModel, stock: int) -> tuple[float, float]:
    ladder = price_ladder(world.catalog)
    base = world.catalog.base_prices
    truth = chance_of_sale(world.catalog, ladder / base[:, None])
    learned = fitted.p_sale(ladder_rows(world, fitted, stock)).reshape(ladder.shape)
    chance = np.clip(learned, _SURE, 1 - _SURE)
    excess = (rel_entr(truth, chance) + rel_entr(1 - truth, 1 - chance)).mean()
    chosen = ladder[np.arange(len(base)), (ladder * learned).argmax(axis=1)]
    earned = chosen * chance_of_sale(world.catalog, chosen / base)
    return float(excess), float((earned / _best_revenue(world.catalog)).mean())


def _best_revenue(catalog: Catalog) -> Floats:
    """Highest revenue per visit between floor and ceiling, EUR, shape (n_products,)."""
    floors = [product.floor for product in catalog.products]
    ceilings = [product.ceiling for product in catalog.products]
    prices = np.linspace(floors, ceilings, _GRID)
    return (prices * chance_of_sale(catalog, prices / catalog.base_prices)).max(axis=0)
