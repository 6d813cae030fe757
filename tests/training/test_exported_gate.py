"""The gate on exported sales: a model of them prices nothing, so it waits whatever it predicts."""

import datetime as dt
from typing import cast

import pandas as pd

from catalog.arrays import Floats
from catalog.load import CLASSIC, load
from catalog.names import PRICES_WERE_OURS
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.judge.conditions import Condition
from training.judge.gate import GateInput, pass_gate

PASSED = Condition("trial", met=True, found="passed")


class Unasked:
    """A model whose chances nobody asks for."""

    features = ("price_ratio", "sku_A", "sku_B")

    def p_sale(self, _: pd.DataFrame) -> Floats:
        raise AssertionError("nothing is priced by its level")


def test_a_model_of_prices_that_somebody_else_set_waits_and_nothing_is_wrong_with_it() -> None:
    cells = pd.DataFrame(
        {"sku": ["A", "B"], "price_ratio": 1.0, "price_offered": 2.0, "n_offered": 9, "n_purchased": 3}
    )
    dataset = Dataset(cells, cells, ("sku_A", "sku_B"), dt.date(2026, 1, 5), dt.date(2026, 1, 6), "f" * 64)
    challenger = cast("FittedModel", Unasked())
    verdict = pass_gate(GateInput(challenger, dataset, load(CLASSIC), PASSED, None, None, is_exported=True))
    assert (verdict.promoted, verdict.waits) == (False, True)
    assert verdict.refusals == [
        f"{PRICES_WERE_OURS}: somebody else set them, so what they teach prices nothing; the last regular price of "
        "each shelf stands"
    ]
