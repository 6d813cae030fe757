"""A night of an outside store at any hour: which dates are over, and from which opening on prices are drawn."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

from outside_grocer import DRAWN, MONDAY, Grocer, NoRegistry

from catalog.load import Catalog
from etl.calendar import next_dates
from training.evening import Evening, RunContext
from training.night import decide
from training.schedule import Night, recorded

DAY = dt.timedelta(days=1)
SUNDAY, WEDNESDAY = MONDAY - DAY, MONDAY + 2 * DAY


def night_at(shop: Grocer, date: dt.date, moment: str) -> Night:
    """Return the night after a date, done at a moment."""
    opens = shop.catalog.store.next_opening(dt.datetime.fromisoformat(moment))
    return decide(Evening(shop.workspace, NoRegistry(), date, 7, RunContext(opens=opens)))  # type: ignore[arg-type]


def closed_on_sundays(shop: Grocer) -> Grocer:
    store = shop.catalog.store.model_copy(update={"closed_days": ("sun",)})
    shop.catalog = Catalog(shop.catalog.products, store)
    shop.workspace = replace(shop.workspace, catalog=shop.catalog)
    return shop


def test_the_first_drawn_prices_begin_with_the_next_opening_and_end_with_their_week(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    night = night_at(shop, SUNDAY, f"{MONDAY}T14:00:00+00:00")
    assert (night.prices_for, shop.draw(WEDNESDAY).first) == (MONDAY + DAY, MONDAY + DAY)
    assert shop.draw(WEDNESDAY).through == MONDAY + 6 * DAY
    assert recorded(shop.lake, SUNDAY) == night


def test_a_week_is_drawn_once_the_week_before_it_is_closed_and_the_night_says_what_is_missing(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    night_at(shop, SUNDAY, f"{MONDAY}T02:30:00+00:00")
    first = shop.draw(MONDAY)
    shop.week(MONDAY, 5)
    friday = MONDAY + 4 * DAY
    assert night_at(shop, friday, f"{friday}T21:00:00+00:00").said is None
    late = night_at(shop, friday, f"{MONDAY + 6 * DAY}T21:00:00+00:00")
    assert f"sales are known through {friday}, and a draw needs those through {MONDAY + 6 * DAY}" in str(late.said)
    assert shop.draw(MONDAY + 7 * DAY).sha256 == first.sha256
    shop.week(MONDAY + 5 * DAY, 2)
    night_at(shop, MONDAY + 6 * DAY, f"{MONDAY + 6 * DAY}T20:00:00+00:00")
    assert shop.draw(MONDAY + 7 * DAY).first == MONDAY + 7 * DAY


def test_a_store_that_closes_on_sundays_has_its_week_drawn_on_saturday_for_monday(tmp_path: Path) -> None:
    shop = closed_on_sundays(Grocer(tmp_path))
    night_at(shop, SUNDAY, f"{MONDAY}T02:30:00+00:00")
    shop.week(MONDAY, 6)
    saturday = MONDAY + 5 * DAY
    night_at(shop, saturday, f"{saturday}T21:00:00+00:00")
    assert shop.draw(MONDAY + 7 * DAY).first == MONDAY + 7 * DAY


def test_what_a_store_opens_next_is_its_own_day_until_it_closes_by_its_own_clock(tmp_path: Path) -> None:
    shop = closed_on_sundays(Grocer(tmp_path, more=f"{DRAWN}timezones: {{S02: America/New_York}}\n"))

    def dates(moment: str) -> list[dt.date]:
        return [*next_dates(shop.lake, shop.catalog, ("S01", "S02"), dt.datetime.fromisoformat(moment)).values()]

    saturday, monday = MONDAY + 5 * DAY, MONDAY + 7 * DAY
    assert dates(f"{saturday}T19:59:00+00:00") == [saturday, saturday]
    assert dates(f"{saturday}T20:00:00+00:00") == [monday, saturday]
    assert dates(f"{saturday + DAY}T01:00:00+00:00") == [monday, monday]
    assert shop.catalog.store.next_opening(dt.datetime.fromisoformat(f"{monday}T09:00:00+00:00")) == monday + DAY
