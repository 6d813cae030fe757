"""What commands print about a shelf in another currency: its code and its digits."""

import pytest

from catalog.currency import currency_of
from flows.cli.tables import show_prices
from plugins.evaluation.same_shoppers import MeanDay, sentence_of
from plugins.evaluation.takings import Takings

LEVELS = ("5 left", "20 left", "100 left")
JPY, KWD = currency_of("JPY"), currency_of("KWD")


def test_tables_of_prices_have_the_code_and_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    show_prices({"MILK": dict(zip(LEVELS, (228.0, 230.0, 231.0), strict=True))}, money=JPY)
    show_prices({"MILK": dict(zip(LEVELS, (0.455, 0.46, 0.46), strict=True))}, money=KWD)
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
