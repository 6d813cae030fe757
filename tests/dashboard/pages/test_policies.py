"""The Policies page shows what the shipped product and its peers lost on the newest lived days, or how to live some."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboard.figures.regret import regret
from dashboard.monitor import Monitor
from dashboard.pages import policies as page

LOST = {"as_shipped": [0.4, 0.1], "certainty_equivalence": [0.1, 0.05], "static": [0.2, 0.2], "newcomer": [0.3, 0.3]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_learner_is_a_line_with_units_and_every_world_is_on_offer(
    add_lives: Callable[..., None], monitor: Monitor, words: Callable[[Any], str], scheme: Any
) -> None:
    add_lives(LOST, "classic", 3)
    add_lives(LOST, "400 visits")
    assert "2 seeds together" in words(page.content(monitor, scheme))
    found = page.lived(monitor)
    assert page.worlds_in(found) == ["400 visits, one store", "classic, 3 stores"]
    figure = regret(found[found["world"] == "classic"], scheme)
    drawn = {line.name: line for line in figure.data}
    assert set(drawn) == {"the product, as shipped", "certainty equivalence", "owner's price", "newcomer"}
    assert list(drawn["the product, as shipped"].y) == pytest.approx(LOST["as_shipped"])
    assert "day" in figure.layout.xaxis.title.text
    assert "% of its gain" in figure.layout.yaxis.title.text


def test_without_lived_days_the_page_names_the_command(
    monitor: Monitor, words: Callable[[Any], str], request: pytest.FixtureRequest
) -> None:
    assert "shelfprice demo" in words(page.content(monitor, "light"))
    request.getfixturevalue("lake")
    assert "shelfprice compare" in words(page.content(monitor, "light"))
