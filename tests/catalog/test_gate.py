import pytest

from catalog.names import EARNS_MORE, SAW_THE_ROLLBACK, Outcome, outcome_of


@pytest.mark.parametrize(
    ("unmet", "outcome"),
    [
        ([], "promoted"),
        ([EARNS_MORE], "waits"),
        ([EARNS_MORE, SAW_THE_ROLLBACK], "waits"),
        (["is calibrated"], "refused"),
        ([EARNS_MORE, "is calibrated"], "refused"),
    ],
)
def test_a_model_waits_only_when_nothing_is_wrong_with_it(unmet: list[str], outcome: Outcome) -> None:
    assert outcome_of(unmet) == outcome
