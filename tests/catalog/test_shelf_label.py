"""What a shelf label says beside the price."""

import pytest
from pydantic import ValidationError

from catalog.load import CLASSIC, load
from catalog.records.product import Measure, Product, check_ean

PRODUCT = load(CLASSIC).products[0]


@pytest.mark.parametrize("ean", ["4006381333931", "96385074", "036000291452", "00012345600012"])
def test_a_number_whose_last_digit_checks_the_others_is_an_ean(ean: str) -> None:
    assert check_ean(ean) == ean


@pytest.mark.parametrize(
    ("ean", "words"),
    [("4006381333932", "expected 1 as the check digit"), ("400638133393", "check digit"), ("4006", "8, 12, 13 or 14"),
     ("40063813339३1", "digits"), ("", "digits")],
)  # fmt: skip
def test_a_mistyped_ean_is_refused_in_words(ean: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Product.model_validate({**PRODUCT.model_dump(), "ean": ean})


@pytest.mark.parametrize(
    ("amount", "unit", "price", "told"),
    [(500.0, "g", 1.5, (3.0, "kg")), (1.0, "l", 1.5, (1.5, "l")), (75.0, "cl", 6.0, (8.0, "l")),
     (10.0, "piece", 2.5, (0.25, "piece"))],
)  # fmt: skip
def test_a_price_is_told_per_kg_litre_or_piece(amount: float, unit: str, price: float, told: tuple[float, str]) -> None:
    measure = Measure.model_validate({"amount": amount, "unit": unit})
    assert measure.per_unit(price) == (pytest.approx(told[0]), told[1])
