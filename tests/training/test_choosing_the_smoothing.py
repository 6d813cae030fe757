"""The width of the smoothing comes from the data, and it pays in the revenue of the chosen prices."""

import datetime as dt
import time
import warnings
from itertools import cycle

import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble  # noqa: F401 - it sets filters of its own when it is imported

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.shoppers import Persona
from features.smoothing import Kernel, Smoothing
from plugins.evaluation.truth import chance_of_sale
from training.fit.candidates import CANDIDATES, FittedModel, choose_smoothing, fit, p_sale
from training.fit.dataset import Dataset

DEMAND = CANDIDATES[2]
FRUGAL_AND_WEALTHY = (
    Persona(name="frugal", share=0.6, mean=0.8, standard_deviation=0.08),
    Persona(name="wealthy", share=0.4, mean=1.35, standard_deviation=0.08),
)


def shelf(personas: tuple[Persona, ...] | None = None) -> Catalog:
    catalog = load(CLASSIC)
    update = {"personas": personas} if personas else {}
    return Catalog(catalog.products, catalog.store.model_copy(update=update))


def learned(catalog: Catalog, decisions: int, seed: int) -> tuple[FittedModel, pd.DataFrame, np.ndarray]:
    ladder = price_ladder(catalog)
    ratio = ladder / catalog.base_prices[:, None]
    truth = chance_of_sale(catalog, ratio)
    draw = np.random.default_rng(seed)
    offered = draw.multinomial(decisions, np.full(ladder.size, 1 / ladder.size))
    frame = pd.DataFrame({"price_ratio": ratio.ravel()})
    for position, sku in enumerate(catalog.skus):
        frame[f"sku_{sku}"] = np.repeat(np.arange(len(ladder)) == position, ladder.shape[1]).astype(float)
    one_hot = tuple(frame.columns[1:])
    cells = frame.assign(n_offered=offered, n_purchased=draw.binomial(offered, truth.ravel()))
    day = dt.date(2026, 3, 2)
    return fit(DEMAND, Dataset(cells, cells.iloc[:0], one_hot, day, day, "f"), seed), frame, truth


def mean_width(smoothing: Smoothing | None) -> float:
    assert smoothing is not None
    return sum(kernel.weight * kernel.bandwidth / kernel.degree for kernel in smoothing.kernels)


def test_two_peaks_ask_for_a_narrower_smoothing_than_one() -> None:
    one = np.mean([mean_width(learned(shelf(), 5_000, seed)[0].smoothing) for seed in range(3)])
    two = np.mean([mean_width(learned(shelf(FRUGAL_AND_WEALTHY), 5_000, seed)[0].smoothing) for seed in range(3)])
    assert two < 0.6 * one


def test_fitting_leaves_the_warning_filters_of_the_process_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before, reset, waits = list(warnings.filters), warnings.resetwarnings, cycle([0.0, 0.002])

    def reset_now_and_then_late() -> None:  # as on a busy machine; a thread that is late takes away those of all
        time.sleep(next(waits))
        reset()

    monkeypatch.setattr(warnings, "resetwarnings", reset_now_and_then_late)
    learned(shelf(), 500, 0)
    assert list(warnings.filters) == before


@pytest.mark.parametrize(("personas", "nearer"), [(None, 0.5), (FRUGAL_AND_WEALTHY, 0.8)])
def test_the_smoothed_forest_is_nearer_to_the_truth_than_its_staircase(
    personas: tuple[Persona, ...] | None, nearer: float
) -> None:
    distance: dict[str, list[float]] = {"raw": [], "smooth": []}
    for seed in range(3):
        fitted, rows, truth = learned(shelf(personas), 2_000, seed)
        raw = p_sale(fitted.model, rows[fitted.features])
        distance["raw"].append(float(((raw - truth.ravel()) ** 2).mean()))
        distance["smooth"].append(float(((fitted.p_sale(rows) - truth.ravel()) ** 2).mean()))
    assert np.mean(distance["smooth"]) < nearer * np.mean(distance["raw"])


def test_a_price_that_never_varied_leaves_nothing_to_choose() -> None:
    rows = pd.DataFrame({"price_ratio": [1.0, 1.0], "sku_A": 1.0}), np.array([1, 0]), np.array([30.0, 70.0])

    def never(_: object) -> object:
        raise AssertionError("no model is fitted for a choice that does not exist")

    chosen = choose_smoothing(rows, never, 0)  # type: ignore[arg-type]
    assert [type(kernel) for kernel in chosen.kernels] == [Kernel]
    assert chosen.lowest == chosen.highest == 1.0
