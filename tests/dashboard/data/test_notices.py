"""Each state that is out of order is said, with what mends it; a healthy one is silent."""

import datetime as dt
from typing import Any

import pytest

from dashboard.data.notices import notices
from dashboard.data.versions import Version

TODAY = dt.date(2026, 1, 6)


def judged(*promoted: bool) -> tuple[Version, ...]:
    return tuple(version(str(number), promoted=was) for number, was in enumerate(promoted, start=1))


def version(number: str, *, promoted: bool) -> Version:
    return Version(
        number=number,
        candidate="demand_forest",
        run_id="run",
        training_run_id="training",
        trained_through=TODAY,
        judged_through=TODAY,
        metrics={},
        candidates={},
        promoted=promoted,
        is_champion=promoted,
        was_champion=promoted,
        conditions=(),
        money=None,
        decided_at=dt.datetime(2026, 1, 6, tzinfo=dt.UTC),
    )


@pytest.mark.parametrize(
    ("facts", "title", "command"),
    [
        ({"versions": judged()}, "No model yet", "shelfprice pipeline"),
        ({"versions": judged(False, False)}, "No champion yet", "shelfprice train"),
        ({"books": [TODAY - dt.timedelta(days=1)]}, "Prices are stale", f"shelfprice price --for {TODAY}"),
        ({"books": []}, "Prices are stale", "shelfprice price"),
        ({"kill_switch": True}, "The kill switch is on", "kill_switch: false"),
    ],
)
def test_a_state_out_of_order_is_said_with_what_mends_it(facts: dict[str, Any], title: str, command: str) -> None:
    healthy: dict[str, Any] = {"versions": judged(True), "books": [TODAY], "shown": TODAY, "kill_switch": False}
    assert notices(**healthy) == []
    (found,) = notices(**(healthy | facts))
    assert found.title == title
    assert command in str(found.command)


def test_a_catalog_that_cannot_be_used_is_said_in_its_own_words() -> None:
    (found,) = notices(judged(True), [TODAY], TODAY, kill_switch=False, catalog_problem="store.yaml: x is 3")
    assert found.text == "store.yaml: x is 3"
