"""How close a forest comes to the truth, and what its prices earn."""

from collections.abc import Iterator

import numpy as np
from scipy.special import rel_entr

from bench.measure import Measurement, Otherwise, say
from bench.serving import ladder_rows
from bench.world import World, temporary_world
from catalog.ladder import price_ladder
from catalog.load import Catalog
from simulation.truth import chance_of_sale
from training.candidates import CANDIDATES, FittedModel, fit

_SEEDS = range(1, 6)
_SIZES = ((2, 2, "2,000", None, None), (8, 5, "20,000", 0.004, 0.985))
_GRID = 5_001
_SURE = 1e-6  # as in training.judge


def quality() -> Iterator[Measurement]:
    """Excess log loss at the ladder and share of the best revenue, mean of five seeds."""
    for n_stores, days, label, loss_target, revenue_target in _SIZES:
        say(f"  learning from {label} decisions")
        runs = [_scores(n_stores, days, seed) for seed in _SEEDS]
        mean = {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}
        (loss, share), others = mean.pop("demand_forest"), mean
        losses = tuple(Otherwise(name, float(values[0])) for name, values in others.items())
        shares = tuple(Otherwise(name, float(values[1])) for name, values in others.items())
        what = f"demand_forest, {label} decisions:"
        yield Measurement("learn", f"{what} excess log loss", float(loss), "nats", losses, loss_target)
        yield Measurement("learn", f"{what} revenue of the best", float(share), "share", shares, revenue_target)


def _scores(n_stores: int, days: int, seed: int) -> dict[str, tuple[float, float]]:
    """Excess log loss and share of revenue of each candidate."""
    with temporary_world() as world:
        for day in range(days):
            world.play_day(n_stores, day, share=1.0, seed=seed)
        world.transform()
        dataset = world.dataset(days)
        return {candidate.name: _against_truth(world, fit(candidate, dataset, seed)) for candidate in CANDIDATES}


def _against_truth(world: World, fitted: FittedModel) -> tuple[float, float]:
    ladder = price_ladder(world.catalog)
    base = world.catalog.base_prices
    truth = chance_of_sale(world.catalog, ladder / base[:, None])
    learned = fitted.p_sale(ladder_rows(world, fitted)).reshape(ladder.shape)
    chance = np.clip(learned, _SURE, 1 - _SURE)
    excess = (rel_entr(truth, chance) + rel_entr(1 - truth, 1 - chance)).mean()
    chosen = ladder[np.arange(len(base)), (ladder * learned).argmax(axis=1)]
    earned = chosen * chance_of_sale(world.catalog, chosen / base)
    return float(excess), float((earned / _best_revenue(world.catalog)).mean())


def _best_revenue(catalog: Catalog) -> np.ndarray:
    """Highest revenue per visit between floor and ceiling, EUR, shape (n_products,)."""
    floors = [product.floor for product in catalog.products]
    ceilings = [product.ceiling for product in catalog.products]
    prices = np.linspace(floors, ceilings, _GRID)
    return (prices * chance_of_sale(catalog, prices / catalog.base_prices)).max(axis=0)
