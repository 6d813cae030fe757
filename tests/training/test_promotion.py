"""Who was champion, in pure terms: where a rollback goes, and which versions it leaves behind."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from catalog.load import CLASSIC, load
from catalog.names import EARNS_MORE, EARNS_MORE_THAN_BASE
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from flows.workspace import prepared
from plugins.evaluation.memory_registry import MemoryRegistry
from training.champion import Action, ChampionChange, Judged, before_current, history, left_by_rollback, settle
from training.judge.conditions import Condition
from training.judge.gate import Verdict

ON = dt.date(2026, 1, 19)
AT = dt.datetime(2026, 1, 19, 9, tzinfo=dt.UTC)


def told(*steps: tuple[Action, str]) -> list[ChampionChange]:
    changes: list[ChampionChange] = []
    for number, (action, version) in enumerate(steps, start=1):
        previous = changes[-1].version if changes else None
        changes.append(ChampionChange(number, version, previous, action, "ana", AT, "because", ON))
    return changes


def test_going_back_twice_goes_back_two_champions_and_does_not_undo_itself() -> None:
    promoted = [("promoted_by_gate", "1"), ("promoted_by_gate", "2"), ("promoted_by_hand", "3")]
    assert before_current(told(*promoted)) == "2"
    assert before_current(told(*promoted, ("rolled_back", "2"))) == "1"
    assert before_current(told(*promoted, ("rolled_back", "2"), ("rolled_back", "1"))) is None


def test_what_is_promoted_after_a_rollback_goes_back_to_where_the_rollback_went() -> None:
    steps = told(("promoted_by_gate", "1"), ("promoted_by_gate", "2"), ("rolled_back", "1"), ("promoted_by_gate", "3"))
    assert before_current(steps) == "1"
    assert left_by_rollback(steps).keys() == {"2"}


def test_a_version_that_was_promoted_again_is_not_left_behind_any_more() -> None:
    steps = [("promoted_by_gate", "1"), ("promoted_by_gate", "2"), ("rolled_back", "1"), ("promoted_by_hand", "2")]
    assert left_by_rollback(told(*steps[:3])).keys() == {"2"}
    assert left_by_rollback(told(*steps)) == {}


STEPS = st.lists(
    st.tuples(st.sampled_from(["promoted_by_gate", "promoted_by_hand", "found"]), st.sampled_from("12345")), max_size=8
)


@given(STEPS)
def test_going_back_again_and_again_ends_and_meets_no_version_twice(steps: list[tuple[Action, str]]) -> None:
    changes = told(*steps)
    met = [changes[-1].version] if changes else []
    while (target := before_current(changes)) is not None:
        assert target not in met
        assert target in {version for _, version in steps}
        met.append(target)
        changes = told(*((change.action, change.version) for change in changes), ("rolled_back", target))
    assert len(met) == len({version for _, version in steps})


def test_the_reason_of_a_promotion_says_what_spoke_for_the_version_and_not_all_that_the_gate_asked(
    settings: Settings,
) -> None:
    workspace, registry = prepared(settings, load(CLASSIC)), MemoryRegistry()
    for version, asked in (("1", EARNS_MORE_THAN_BASE), ("2", EARNS_MORE)):
        verdict = Verdict((Condition(asked, met=True, found="gain +6.50"),))
        row = TABLES["model_versions"].schema.empty_table()
        settle(workspace, registry, Judged(version, verdict, registry.state().champion, ON, row, "x"))
    first, second = history(workspace.lake)
    assert first.reason == "earns more than the base prices: gain +6.50"
    assert second.reason == "gain +6.50"
