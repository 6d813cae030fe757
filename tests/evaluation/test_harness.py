"""The harness of all experiments: parts wherever they are played, one way to keep, names that are refused."""

from dataclasses import dataclass
from typing import Any

import pytest
from elsewhere import Elsewhere

from catalog.errors import DataError
from catalog.load import CLASSIC, load
from catalog.settings import Settings
from catalog.spread import HERE
from catalog.tables.comparisons import REGRET_BY_DAY
from evaluation.harness import keep, play_parts
from evaluation.reporting import MeanInterval, mean_where_it_came, table_of
from evaluation.worlds import built_in, chosen
from training.mlflow.experiments import Study
from warehouse.lake import Lake
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Doubled:
    """A part that doubles its seed."""

    seed: int

    @property
    def name(self) -> str:
        """The seed."""
        return f"seed {self.seed}"

    def play(self) -> int:
        """Double the seed."""
        return 2 * self.seed


@pytest.mark.parametrize("spread", [HERE, Elsewhere()], ids=["here", "elsewhere"])
def test_parts_are_played_anywhere_and_come_back_in_their_order(spread: Any) -> None:
    told: list[tuple[str, int, int]] = []
    parts = [Doubled(seed) for seed in (3, 1, 2)]
    assert play_parts(parts, "doubling", spread, lambda *step: told.append(step)) == [6, 2, 4]
    assert told[-1] == ("doubling", 3, 3)


def test_the_same_question_asked_again_replaces_its_answer_and_another_stands_beside(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.mlflow.experiments.log_study", lambda _settings, study: study.name)
    workspace = Workspace(settings, load(CLASSIC), Lake(settings))
    workspace.lake.prepare()
    study = Study("a study", "", {}, {}, {}, {})
    row = {"world": "w", "learner": "l", "seed": 1, "count_stores": 1, "day": 1, "clairvoyant_eur": 1.0}
    for question, share in (("first", 0.5), ("first", 0.6), ("second", 0.7)):
        run = keep(workspace, question, [(REGRET_BY_DAY, [{**row, "gain_eur": share}])], study)
        assert run == "a study"
    kept = [workspace.lake.read(part).to_pylist() for part in workspace.lake.partitions("regret_by_day")]
    assert sorted(one["gain_eur"] for (one,) in kept) == [0.6, 0.7]
    assert all(one["lived_at"] is not None for (one,) in kept)


def test_names_are_chosen_once_in_the_order_asked_and_an_unknown_one_is_refused_with_the_nearest() -> None:
    worlds = built_in(load(CLASSIC))
    names = ["popular product", "200 visits", "200 visits"]
    assert [world.name for world in chosen("world", names, worlds)] == names[:2]
    assert chosen("world", [], worlds) == worlds
    with pytest.raises(
        DataError, match=r"out of 100 visits; .*found '20 visits'; nothing was played\. Did you mean 200 visits\?"
    ):
        chosen("world", ["20 visits"], worlds)


def test_reports_say_what_never_came_and_on_how_many_seeds_it_did() -> None:
    assert mean_where_it_came([None, None]) == "never"
    assert mean_where_it_came([1, 2, None]) == "1.5 on 2 of 3"
    assert mean_where_it_came([1_000, 1_001]) == "1,000"
    assert MeanInterval(0.5, float("nan"), float("nan")).finite() == {"mean": 0.5, "low": None, "high": None}
    assert table_of([{"a": 1, "b": 2}, {"a": 3, "b": 4}]) == (["a", "b"], [[1, 2], [3, 4]])
