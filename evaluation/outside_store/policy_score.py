"""Scores a weekly policy in an outside store: the share of the attainable profit that it loses, by weeks and seeds."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import DataError
from evaluation.outside_store.stores.outside_world import OutsideWorld
from evaluation.outside_store.stores.weekly_seller import WeeklyPolicy, WeeksPlayed, play
from evaluation.reporting import MeanInterval, interval, markdown

ROWS = ((1, 4), (5, 8), (9, 12), (13, 26))
"""First and last week of each row."""
SEEDS = 12


@dataclass(frozen=True)
class PolicyScore:
    """What a policy loses against the clairvoyant under the same rules, as shares of the attainable profit.

    Attributes
    ----------
    lost, by_trying
        Mean and 95 % interval over seeds for each row of weeks: all that is lost, and the part of it at prices that
        were tried in order to learn. A policy that does not say which those are has none.
    """

    name: str
    lost: tuple[MeanInterval, ...]
    by_trying: tuple[MeanInterval, ...]

    def as_record(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [f"{first}-{last}" for first, last in ROWS]
        return {
            "policy": self.name,
            "lost": {row: one.finite() for row, one in zip(rows, self.lost, strict=True)},
            "by_trying": {row: one.finite() for row, one in zip(rows, self.by_trying, strict=True)},
        }


def score(
    name: str, policy: WeeklyPolicy, world_of_seed: Callable[[int], OutsideWorld], seeds: Sequence[int]
) -> PolicyScore:
    """Play a policy in one world a seed, and return what it loses."""
    played = [play(world_of_seed(seed), policy, ROWS[-1][1], seed) for seed in seeds]

    def over_seeds(share: Callable[[WeeksPlayed, int, int], float]) -> tuple[MeanInterval, ...]:
        return tuple(interval([share(one, first, last) for one in played]) for first, last in ROWS)

    return PolicyScore(name, over_seeds(WeeksPlayed.lost), over_seeds(WeeksPlayed.lost_by_trying))


def table(scores: Sequence[PolicyScore]) -> Iterator[str]:
    """Return the scores in Markdown, in per cent; what was lost by trying has rows of its own, where something was."""
    columns = ("lost in %, weeks", *(f"{first}-{last}" for first, last in ROWS))
    rows = list[tuple[str, ...]]()
    for one in scores:
        rows.append((one.name, *(lost.percent() for lost in one.lost)))
        if any(tried.mean for tried in one.by_trying):
            rows.append(("of it at tried prices", *(tried.percent() for tried in one.by_trying)))
    return markdown(columns, rows)


def policy_named(text: str) -> WeeklyPolicy:
    """Return the policy that `module:name` names.

    Raises
    ------
    DataError
        When there is none.
    """
    module, _, name = text.partition(":")
    try:
        policy = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise DataError(
            f"--policy {text}: expected module:name of a policy, found none ({error}); nothing was played: name one "
            "such as evaluation.peers.units_alone:THOMPSON"
        ) from error
    return policy
