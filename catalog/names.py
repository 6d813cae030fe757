"""Names that registry, Prefect and lake share, the types that a stored model may contain, and the gate's verdicts.

`promoted`: every condition is met. `waits`: the model is sound, and only not yet shown to be the better choice.
`refused`: something is wrong with it.
"""

from collections.abc import Iterable
from typing import Literal

Outcome = Literal["promoted", "waits", "refused"]

EARNS_MORE_THAN_BASE = "earns more than the base prices"
AS_GOOD_AS_BELIEF = "earns as much as the belief that prices without a champion"
EARNS_MORE = "earns more, or is not worse than the champion and that one is stale or no longer holds"
SAW_THE_ROLLBACK = "judged on what was sold since the rollback"
PRICES_WERE_OURS = "the prices judged on were ours"

MAY_WAIT = frozenset({EARNS_MORE, EARNS_MORE_THAN_BASE, AS_GOOD_AS_BELIEF, SAW_THE_ROLLBACK, PRICES_WERE_OURS})
"""Conditions that a sound model may fail: more decisions can change the answer."""


def outcome_of(unmet: Iterable[str]) -> Outcome:
    """Return the verdict about a model from the names of the conditions that it does not meet."""
    names = set(unmet)
    if not names:
        return "promoted"
    return "waits" if names <= MAY_WAIT else "refused"


REGISTERED_MODEL = "shelfprice-demand"
"""Name of the demand model in the registry; its alias `champion` is the one that prices."""

LIVE_DEPLOYMENT = "live/live-store"
"""Flow and deployment of the store that sells tick by tick, as Prefect names them."""

TRUSTED_MODEL_TYPES = ("sklearn.tree._tree.Tree",)
"""Types beyond skops' own that a registered model may contain; any other is refused before it is loaded."""

REGISTRY_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}
"""How long MLflow's client waits for a registry that does not answer; its own defaults add up to four minutes."""

EXTERNAL = "external"
"""Name of the policy behind a retailer's exported decisions: none of our policies set those prices."""

OWNER = "owner"
"""Name of the policy behind decisions of an outside store at prices that were not ours: nothing learns from them."""


LIVE_GROUP = "live-"
"""What the name of a partition begins with that holds a day sold live; the store's name follows."""

EXPORT_GROUP = "export-"
"""What the name of a partition begins with that came from a retailer's file; the start of its SHA-256 follows."""

INTAKE_GROUP = "intake"
"""What the name of a partition begins with that a store's own systems sent, or that is made from what they did."""

BOOK_GROUP = "all"
"""Name of the partition of a price book, and of the curves and the belief it stands on."""

EMPTY_GROUP = "contract"
"""Name of the empty partition of every table, which carries its columns."""
