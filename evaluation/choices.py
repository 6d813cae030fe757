"""What a comparison can be asked for, by name. It imports no learner, so a wrong name is refused at once."""

from collections.abc import Sequence

from catalog.errors import DataError
from catalog.load import Catalog
from evaluation.scenarios import Scenario, built_in

POLICIES = ("static", "rule", "prototype", "greedy", "stock_aware")
"""What can be compared. `prototype` is the textbook way: balanced classes, raw price, greedy."""

DECISIONS = (500, 2_000, 20_000)
"""Sizes of the logs to learn from."""


def asked(
    catalog: Catalog, policies: Sequence[str], scenarios: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Scenario, ...]]:
    """Return the policies and the worlds by their names; no scenario means all of them.

    Raises
    ------
    DataError
        When a policy or scenario is unknown.
    """
    known = {world.name: world for world in built_in(catalog)}
    for name in scenarios:
        if name not in known:
            raise DataError(f"expected a scenario out of {'; '.join(known)}, found {name!r}; nothing was compared")
    for name in policies:
        if name not in POLICIES:
            raise DataError(f"expected a policy out of {', '.join(POLICIES)}, found {name!r}; nothing was compared")
    return tuple(policies), tuple(known[name] for name in scenarios) if scenarios else tuple(known.values())
