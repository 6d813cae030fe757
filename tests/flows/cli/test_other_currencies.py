"""What commands print about a shelf in another currency: its code and its digits."""

import pytest

from catalog.currency import EUR, currency_of
from catalog.limits import LOWEST_PRICE
from catalog.takings import Takings
from connect.api.problems import Problem
from connect.api.quote_questions import question_of, question_of_query
from flows.cli.tables import sentence_of, show_prices
from training.same_shoppers import MeanDay

JPY, KWD = currency_of("JPY"), currency_of("KWD")


def test_tables_of_prices_have_the_code_and_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    show_prices([["MILK", 228.0, 230.0, 231.0]], money=JPY)
    show_prices([["MILK", 0.455, 0.46, 0.46]], money=KWD)
    said = capsys.readouterr().out
    assert "at opening, JPY, by" in said
    assert "228 " in said
    assert "at opening, KWD, by" in said
    assert "0.460" in said
    assert "EUR" not in said


def test_sentences_have_the_code_and_the_digits() -> None:
    assert sentence_of(MeanDay("revenue", Takings(123450.4, 0.0), Takings(100210.0, 0.0), 7), JPY) == (
        "On the same shoppers, the price book earned 123,450 JPY a day and base prices 100,210 JPY (+23.2%), "
        "over 7 days"
    )


def test_a_price_that_is_asked_about_is_not_below_the_smallest_unit_of_the_shelf() -> None:
    assert LOWEST_PRICE == KWD.smallest == 0.001
    assert question_of({"sku": "MILK", "stock": 1, "shown": 0.005}, KWD.smallest).shown == 0.005
    for lowest, price in ((EUR.smallest, "0.005"), (JPY.smallest, "0.5"), (KWD.smallest, "0.0005")):
        with pytest.raises(Problem, match=f"shown: expected a number from {lowest:g}"):
            question_of_query(f"sku=MILK&stock=1&shown={price}".encode(), lowest)
