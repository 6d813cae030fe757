from collections.abc import Callable
from typing import Any

from dashboard.data.versions import champion_of
from dashboard.monitor import Monitor
from dashboard.pages import models as page

HOSTILE = "<script>alert(1)</script>'); drop table x; --"


def test_after_a_rollback_the_champion_is_the_one_gone_back_to_and_not_the_one_promoted_last(
    add_version: Callable[..., None], add_change: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_version(1)
    add_version(2)
    add_version(3, promoted=False)
    for number, (version, action) in enumerate(
        [("1", "promoted_by_gate"), ("2", "promoted_by_gate"), ("3", "promoted_by_hand"), ("1", "rolled_back")], start=1
    ):
        add_change(number, version, action, HOSTILE, "ana")
    versions = monitor.versions()
    champion = champion_of(versions)
    assert champion is not None
    assert champion.number == "1"
    assert [version.status for version in versions] == ["was champion", "was champion", "champion"]
    said = words(page.content(monitor, "light"))
    order = [said.index(what) for what in ("Changes of champion", "rolled back", "by hand", "promoted ana")]
    assert order == sorted(order)
    assert HOSTILE in said
    assert "ana" in said
