"""The gate on exported sales asks whether a response is told: a model of them prices nothing."""

import datetime as dt

import pandas as pd

from catalog.arrays import Floats
from catalog.names import PRICE_RESPONSE_IS_TOLD
from features.response import PriceResponse, Slope
from training.dataset import Dataset
from training.gate import GateInput, Verdict, pass_gate
from training.model_conditions import Condition

PASSED = Condition("trial", met=True, found="passed")


class Unasked:
    """A model whose chances nobody asks for."""

    features = ("price_ratio", "sku_A", "sku_B")

    def p_sale(self, _: pd.DataFrame) -> Floats:
        raise AssertionError("nothing is priced by its level")


def dataset() -> Dataset:
    cells = pd.DataFrame(
        {"sku": ["A", "B"], "price_ratio": 1.0, "price_offered": 2.0, "n_offered": 9, "n_purchased": 3}
    )
    return Dataset(cells, cells, ("sku_A", "sku_B"), dt.date(2026, 1, 5), dt.date(2026, 1, 6), "f" * 64)


def responses(*told: str, slope: float = -1.5) -> tuple[PriceResponse, ...]:
    found = Slope(slope, slope - 0.2, slope + 0.2, 0.1, 0.2, 1e-6)
    return tuple(
        PriceResponse(sku, 9, 3, found, found, found, "told" if sku in told else "too confounded", "") for sku in "AB"
    )


def gate(own: tuple[PriceResponse, ...]) -> Verdict:
    return pass_gate(GateInput(Unasked(), dataset(), ("A", "B"), PASSED, None, None, 7, responses=own))  # type: ignore[arg-type]


def test_exported_decisions_make_a_champion_where_a_response_is_told_and_the_others_stand_in_nobodys_way() -> None:
    verdict = gate(responses("A"))
    assert verdict.promoted, verdict.refusals
    told = next(condition for condition in verdict.conditions if condition.name == PRICE_RESPONSE_IS_TOLD)
    assert told.found == "for A; too confounded: B"


def test_where_no_response_is_told_the_challenger_waits_and_nothing_is_wrong_with_it() -> None:
    verdict = gate(responses())
    assert (verdict.promoted, verdict.waits) == (False, True)
    assert verdict.refusals == [f"{PRICE_RESPONSE_IS_TOLD}: for no product; too confounded: A, B"]
