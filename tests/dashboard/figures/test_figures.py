"""Figures say their units, show names literally, and look the same whatever they are asked to draw."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, WatchedCatalog, load
from catalog.settings import Settings
from dashboard.data.prices import line_at
from dashboard.data.reader import Reader
from dashboard.figures import prices
from dashboard.formats import change, euros
from dashboard.monitor import Monitor
from dashboard.pages.prices_cards import answer
from dashboard.prefect.control import live_control
from plugins.evaluation.truth import chance_of_sale, expected_visits_on
from serving.book.make import publish_book
from serving.optimise.curves import DemandCurves
from tests.support.believing import first_belief
from warehouse.lake import Lake

DAY = dt.date(2026, 1, 6)


@pytest.fixture(scope="module")
def reader(sold: Settings) -> Reader:
    return Reader(sold)


def book_of(reader: Reader, sku: str) -> pd.DataFrame:
    return reader.ask("product_book", ("booked_prices",), on=DAY, date=DAY, sku=sku)


def curve_of(reader: Reader, sku: str) -> pd.DataFrame:
    return reader.ask("product_curve", ("demand_curves",), on=DAY, date=DAY, sku=sku)


def chosen_and_best(reader: Reader, stock: int, ticks_left: int) -> tuple[float, float]:
    """Return the chosen price of milk and the candidate at the top of the line, EUR, as they are drawn."""
    curve, state = curve_of(reader, "MILK"), line_at(book_of(reader, "MILK"), stock, ticks_left)
    worth, chosen = prices.revenue(curve, state, "light").data[1:]
    assert chosen.y[0] == pytest.approx(worth.y[list(worth.x).index(chosen.x[0])])
    return float(chosen.x[0]), float(worth.x[int(pd.Series(worth.y).idxmax())])


@pytest.mark.parametrize("ticks_left", [1, 4, 12, 20, 48])
@pytest.mark.parametrize("stock", [1, 5, 8, 30, 60, 100])
def test_the_chosen_price_is_the_best_of_the_candidates_or_above_where_the_next_unit_is_worth_more(
    reader: Reader, stock: int, ticks_left: int
) -> None:
    chosen, best = chosen_and_best(reader, stock, ticks_left)
    assert chosen >= best
    if (stock, ticks_left) in {(30, 1), (100, 1), (30, 4), (60, 12), (100, 20)}:
        assert chosen == pytest.approx(best)


def test_where_margin_counts_the_chosen_price_is_at_the_top_of_what_the_page_draws(
    sell_two_days: Callable[[Path], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, classic, date = sell_two_days(tmp_path / "home"), load(CLASSIC), DAY + dt.timedelta(days=1)
    policies = classic.store.policies.model_copy(update={"objective": "margin"})
    catalog = Catalog(classic.products, classic.store.model_copy(update={"policies": policies}))
    ladder = price_ladder(catalog)
    truth = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    curves = DemandCurves(catalog.skus, ladder, truth, "8")
    publish_book(Lake(settings), catalog, curves, expected_visits_on(catalog, date), date, first_belief(catalog))
    monkeypatch.setattr(WatchedCatalog, "current", lambda _: catalog)
    monitor = Monitor(settings, live_control(settings))
    _, figure, _ = answer(monitor, "MILK", date, (100, 1), "light")
    worth, chosen = figure.data[1:]
    assert float(chosen.x[0]) == pytest.approx(float(worth.x[int(pd.Series(worth.y).idxmax())]))


def test_a_state_beyond_the_book_is_read_at_its_edge(reader: Reader) -> None:
    book = book_of(reader, "MILK")
    assert line_at(book, 10_000, 10_000) == line_at(book, 100, 48)
    assert line_at(book, -3, 0) == line_at(book, int(book["inventory_level"].min()), 1)


def test_numbers_are_written_as_people_read_them() -> None:
    assert euros(1234.5) == "€1,234.50"
    assert euros(-0.5) == "−€0.50"
    assert change(110, 100) == "+10.0 %"
    assert change(90, 100) == "−10.0 %"
    assert change(90, 0) is None
