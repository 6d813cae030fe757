"""The newest comparison of policies, in the order and with the intervals that the Policies page shows."""

import re
from dataclasses import dataclass

import pandas as pd

from catalog.metrics import half_width

CLAIRVOYANT = "clairvoyant"
TRUE_DEMAND = "true_demand"
POLICIES = ("stock_aware", "greedy", "prototype", "rule", "static")
"""Policies from the one that knows most to the one that knows least; others follow in order of name."""

SAYS = {
    "stock_aware": "weighs each sale against the value of keeping the unit",
    "greedy": "takes the price with the highest expected revenue per visit",
    "prototype": "greedy on a forest with balanced classes",
    "rule": "base price, raised when stock is low",
    "static": "base price, always",
}


@dataclass(frozen=True)
class StoredComparison:
    """What the queries `policies_played` and `policies_learned` answered, with intervals.

    Attributes
    ----------
    played
        One row per scenario and policy: `share`, `low` and `high`, `left_eur` with `left_low_eur` and `left_high_eur`
        (EUR per store day), and what a store day brings.
    learned
        One row per scenario, policy and log size: `share`, `low`, `high`, `decisions`.
    scenarios, policies
        Names in the order they are shown; the clairvoyant is left out.
    """

    played: pd.DataFrame
    learned: pd.DataFrame
    scenarios: tuple[str, ...]
    policies: tuple[str, ...]


def comparison_of(played: pd.DataFrame, learned: pd.DataFrame) -> StoredComparison:
    """Order a comparison and give it its intervals."""
    share_half = half_width(played["share_sd"].to_numpy(float), played["count_seeds"].to_numpy(float))
    left_half = half_width(played["left_sd_eur"].to_numpy(float), played["count_seeds"].to_numpy(float))
    learned_half = half_width(learned["share_sd"].to_numpy(float), learned["count_seeds"].to_numpy(float))
    return StoredComparison(
        played.assign(
            low=played["share"] - share_half,
            high=played["share"] + share_half,
            left_low_eur=played["left_eur"] - left_half,
            left_high_eur=played["left_eur"] + left_half,
        ),
        learned.assign(low=learned["share"] - learned_half, high=learned["share"] + learned_half),
        tuple(sorted(set(played["scenario"]), key=_from_plenty_to_scarce)),
        policies_in_order(set(played["policy"])),
    )


def policies_in_order(names: set[str]) -> tuple[str, ...]:
    """Return the names in the order policies are shown, without the clairvoyant."""
    others = sorted(names - {*POLICIES, CLAIRVOYANT, TRUE_DEMAND})
    return (*(name for name in POLICIES if name in names), *others)


def label(policy: str) -> str:
    """Write a policy's name for people."""
    return policy.replace("_", "-")


def _from_plenty_to_scarce(scenario: str) -> tuple[int, int, str]:
    visits = re.search(r"(\d+) visits", scenario)
    kind = 0 if visits and visits.start() == 0 else 1 if visits else 2
    return kind, int(visits[1]) if visits else 0, scenario
