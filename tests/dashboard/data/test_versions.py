import datetime as dt
from collections.abc import Callable

import pytest

from catalog.names import EARNS_MORE
from dashboard.data.versions import Version
from dashboard.monitor import Monitor

FIRST = dt.date(2026, 1, 12)


def test_versions_come_newest_first_and_the_champion_is_the_one_promoted_last(three: tuple[Version, ...]) -> None:
    assert [version.number for version in three] == ["10", "2", "1"]
    assert [version.status for version in three] == ["refused", "champion", "was champion"]


def test_a_version_trained_again_on_earlier_days_is_the_newest_all_the_same(
    add_version: Callable[..., None], monitor: Monitor
) -> None:
    add_version(9)
    add_version(10, judged=FIRST)
    assert [(version.number, version.status) for version in monitor.versions()] == [
        ("10", "champion"),
        ("9", "was champion"),
    ]


@pytest.mark.parametrize(
    ("promoted", "unmet", "outcome", "said"),
    [
        (True, "", "promoted", "all 2 conditions are met; version 1 became champion"),
        (False, EARNS_MORE, "waits", "one condition is not met: version 1 is sound but not shown to be better"),
        (False, "is calibrated", "refused", "one condition is not met, so version 1 was refused"),
    ],
)
def test_what_the_gate_said_is_one_of_three_words_and_a_sentence(
    add_version: Callable[..., None], monitor: Monitor, promoted: bool, unmet: str, outcome: str, said: str
) -> None:
    add_version(1, promoted=promoted, unmet=unmet)
    (version,) = monitor.versions()
    assert version.outcome == outcome
    assert version.sentence.startswith(said)


def test_versions_are_read_again_when_one_is_published(add_version: Callable[..., None], monitor: Monitor) -> None:
    add_version(1)
    assert monitor.versions() is monitor.versions()
    add_version(2)
    assert [version.number for version in monitor.versions()] == ["2", "1"]
