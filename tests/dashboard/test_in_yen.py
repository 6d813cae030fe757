"""The monitor of a shelf in yen: amounts are whole and begin with its sign."""

from contextvars import copy_context
from pathlib import Path

import pytest
from price_shop import DATE, Shop, priced_in

from catalog.currency import currency_of
from dashboard.formats import in_currency_of, show_in
from dashboard.monitor import Monitor
from dashboard.pages.prices_cards import answer


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    shop = Shop(tmp_path, changed=priced_in("JPY")).opened(0)
    return shop.monitor()


def test_the_page_prices_says_whole_yen(monitor: Monitor) -> None:
    def shown() -> tuple[str, str]:
        show_in(monitor.catalog.current().store.money)
        words, revenue, _ = answer(monitor, "MILK", DATE, (8, 4), "light")
        return str(words), str(revenue.to_dict())

    words, figure = copy_context().run(shown)
    assert "'¥" in words
    assert "a unit kept is worth ¥" in words
    assert "candidate price, JPY" in figure
    assert "€" not in words + figure
    assert "EUR" not in words + figure


def test_the_cells_of_a_grid_have_the_digits_of_their_currency() -> None:
    columns = [
        {"headerName": "Revenue, EUR", "valueFormatter": {"function": "d3.format(',.2f')(params.value)"}},
        {"headerName": "Share, %", "valueFormatter": {"function": "d3.format('.2f')(params.value)"}},
    ]

    def shown() -> list[dict[str, object]]:
        show_in(currency_of("JPY"))
        return in_currency_of(columns)

    money, share = copy_context().run(shown)
    assert money == {"headerName": "Revenue, JPY", "valueFormatter": {"function": "d3.format(',.0f')(params.value)"}}
    assert share == columns[1]
