"""The card of regret day by day: what it draws, and which worlds it offers."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.cards import regret as cards
from dashboard.figures import regret as figures
from dashboard.monitor import Monitor
from dashboard.pages import policies as page

LOST = {"as_shipped": [0.4, 0.1], "certainty_equivalence": [0.1, 0.05], "static": [0.2, 0.2], "newcomer": [0.3, 0.3]}
AT = dt.datetime(2026, 1, 20, 9, 30, tzinfo=dt.UTC)


def test_each_learner_is_a_line_of_what_it_lost_on_each_day(add_lives: Callable[..., None], monitor: Monitor) -> None:
    add_lives(LOST, "classic", 3)
    drawn = {line.name: line for line in figures.regret(cards.lived(monitor), "light").data}
    assert list(drawn) == ["the product, as shipped", "certainty equivalence", "owner's price", "newcomer"]
    product = drawn["the product, as shipped"]
    assert list(product.x) == [1, 2]
    assert list(product.y) == pytest.approx(LOST["as_shipped"])
    assert list(product.customdata) == pytest.approx([40.0, 10.0])  # EUR a store day
    assert list(product.text) == ["<br>priced by base", "<br>priced by belief"]


def test_worlds_are_offered_by_name_and_stores_and_the_newest_lives_of_each_are_shown(
    add_lives: Callable[..., None], monitor: Monitor
) -> None:
    add_lives(LOST, "classic", at=AT - dt.timedelta(days=1), less=0.1)
    add_lives(LOST, "classic")
    add_lives(LOST, "classic", 3, at=AT - dt.timedelta(days=1))
    add_lives(LOST, "400 visits")
    found = cards.lived(monitor)
    assert cards.worlds_in(found) == ["400 visits, one store", "classic, one store", "classic, 3 stores"]
    own = found[(found["world"] == "classic") & (found["count_stores"] == 1) & (found["learner"] == "as_shipped")]
    assert list(own["lost_share"]) == pytest.approx(LOST["as_shipped"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_regret_and_every_axis_has_its_unit(
    add_lives: Callable[..., None], monitor: Monitor, words: Callable[[Any], str], scheme: Any
) -> None:
    add_lives(LOST, "classic")
    said = words(page.content(monitor, scheme))
    assert "What is lost while it learns, day by day" in said
    assert "2 seeds together" in said
    layout = figures.regret(cards.lived(monitor), scheme).layout
    assert layout.xaxis.title.text == "day since the store opened"
    assert "% of its gain" in layout.yaxis.title.text


def test_without_lived_days_there_is_no_card_of_regret_and_the_page_names_the_command(
    monitor: Monitor, words: Callable[[Any], str], request: pytest.FixtureRequest
) -> None:
    assert "shelfprice demo" in words(page.content(monitor, "light"))
    request.getfixturevalue("lake")
    assert cards.regret_card(monitor, "light") == []
    assert "shelfprice compare" in words(page.content(monitor, "light"))
