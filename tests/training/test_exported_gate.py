"""The gate on exported sales judges what will price: the level of a model with the response that is told."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from catalog.arrays import Floats
from catalog.names import PRICE_RESPONSE_IS_TOLD
from features.response import PriceResponse, Slope, at_base_price, with_response
from training.dataset import Dataset
from training.gate import GateInput, Incumbent, Verdict, pass_gate
from training.model_conditions import Condition

PASSED = Condition("trial", met=True, found="passed")


class Flat:
    """A model that knows each product's level and no response to prices."""

    features = ("price_ratio", "sku_A", "sku_B")

    def __init__(self, chance: float = 0.2) -> None:
        self.chance = chance

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        assert (rows["price_ratio"] == 1).all(), "asked at the base price alone"
        return np.full(len(rows), self.chance)


def dataset(slope: float, seed: int = 1) -> Dataset:
    draw = np.random.default_rng(seed)

    def cells(visits: int) -> pd.DataFrame:
        ratio = np.tile(np.linspace(0.7, 1.4, 8), 2)
        frame = pd.DataFrame({"sku": np.repeat(["A", "B"], 8), "price_ratio": ratio, "price_offered": 2 * ratio})
        chance = with_response(np.array(0.2), ratio, np.array(slope))
        frame["n_offered"], frame["n_purchased"] = visits, draw.binomial(visits, chance)
        return frame.assign(
            inventory_level=np.nan, sku_A=(frame["sku"] == "A") * 1.0, sku_B=(frame["sku"] == "B") * 1.0
        )

    return Dataset(cells(4_000), cells(2_000), ("sku_A", "sku_B"), dt.date(2026, 1, 5), dt.date(2026, 1, 6), "f" * 64)


def responses(*told: str, slope: float = -1.5) -> tuple[PriceResponse, ...]:
    found = Slope(slope, slope - 0.2, slope + 0.2, 0.1, 0.2, 1e-6)
    return tuple(
        PriceResponse(sku, 9, 3, found, found, found, "told" if sku in told else "too confounded", "") for sku in "AB"
    )


def gate(model: Flat, data: Dataset, own: tuple[PriceResponse, ...], champion: Incumbent | None = None) -> Verdict:
    return pass_gate(GateInput(model, data, ("A", "B"), PASSED, None, champion, 7, responses=own))  # type: ignore[arg-type]


def test_exported_decisions_make_a_champion_where_a_response_is_told_and_the_others_stand_in_nobodys_way() -> None:
    data = dataset(-1.5)
    strange = data.holdout["sku"] == "B"
    data.holdout.loc[strange, "n_purchased"] = data.holdout.loc[strange, "n_offered"]  # which B alone could not pass
    verdict = gate(Flat(), data, responses("A"))
    assert verdict.promoted, verdict.refusals
    told = next(condition for condition in verdict.conditions if condition.name == PRICE_RESPONSE_IS_TOLD)
    assert told.found == "for A; shelf prices for what is too confounded: B"


def test_where_no_response_is_told_the_challenger_waits_and_nothing_is_wrong_with_it() -> None:
    verdict = gate(Flat(), dataset(-1.5), responses())
    assert (verdict.promoted, verdict.waits) == (False, True)
    assert verdict.refusals == [
        f"{PRICE_RESPONSE_IS_TOLD}: for no product; shelf prices for what is too confounded: A, B"
    ]


@pytest.mark.parametrize(
    ("model", "slope", "names"),
    [
        (Flat(0.5), -1.5, ["is calibrated", "is reliable", "not worse than each product's base rate"]),
        (Flat(float("nan")), -1.5, ["every chance of sale is a probability"]),
        (Flat(), -6.0, ["is calibrated", "is reliable", "not worse than each product's base rate"]),
    ],
)
def test_a_level_or_a_response_that_the_held_out_days_refute_is_refused(
    model: Flat, slope: float, names: list[str]
) -> None:
    verdict = gate(model, dataset(-1.5), responses("A", "B", slope=slope))
    assert [condition.name for condition in verdict.conditions if not condition.met] == names
    assert not verdict.waits


def test_a_champion_is_not_replaced_by_what_is_worse_on_exported_decisions() -> None:
    data = dataset(-1.5)
    at_base = at_base_price(data.holdout)
    champion = Incumbent(Flat(0.2).p_sale(at_base), dt.date(2026, 1, 1))
    assert gate(Flat(0.2), data, responses("A"), champion).promoted
    worse = gate(Flat(0.23), data, responses("A"), champion)
    assert any("champion" in refusal for refusal in worse.refusals)
