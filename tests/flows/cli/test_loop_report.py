"""The report at the end of a loop."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from etl.ledger import LedgerRow, write_down
from flows.cli.tables import loop_report, show_report
from plugins.evaluation.same_shoppers import MeanDay, sentence_of
from plugins.evaluation.takings import Takings
from warehouse.lake import Lake

SECOND = dt.date(2026, 1, 6)


def test_it_ends_with_the_price_book_against_base_prices_on_the_same_shoppers(
    sell_two_days: Callable[[Path], Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lake, shelf = Lake(sell_two_days(tmp_path)), load(CLASSIC)
    book = LedgerRow(0, shelf.store.stores, 7, shelf.fingerprint, "stock_aware", "7", SECOND, "a book")
    write_down(lake, shelf, SECOND, "all", book)
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path))
    report = loop_report()
    compared = report["same_shoppers"]
    assert compared["count_days"] == len(compared["days"]) == 1
    assert compared["book_eur"] == pytest.approx(report["days"][1]["revenue_eur"])
    show_report(report)
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == compared["sentence"]
    last_table = said[said.index("1 day on the same shoppers") :]
    titles = ("profit, EUR", "waste, EUR", "margin, EUR", "revenue, EUR", "units thrown away")
    assert [title for title in titles if title not in " ".join(last_table.split())] == []
    assert compared["book"]["profit_eur"] == pytest.approx(compared["book"]["margin_eur"])  # nothing is thrown away


def test_without_a_day_from_a_price_book_it_claims_no_gain(
    sell_two_days: Callable[[Path], Settings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sell_two_days(tmp_path)
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path))
    report = loop_report()
    assert report["same_shoppers"] is None
    show_report(report)
    assert "base prices" not in capsys.readouterr().out


def test_the_sentence_says_what_is_counted_and_over_how_many_days() -> None:
    assert sentence_of(MeanDay("revenue", Takings(1234.5, 0.0), Takings(1002.1, 0.0), 7)) == (
        "On the same shoppers, the price book earned 1,234.50 EUR a day and base prices 1,002.10 EUR (+23.2%), "
        "over 7 days"
    )
    assert sentence_of(MeanDay("margin", Takings(10.0, 1.0), Takings(1.0, 1.0), 1)) == (
        "On the same shoppers, the price book earned 9.00 EUR of margin a day and base prices 0.00 EUR, over 1 day"
    )
