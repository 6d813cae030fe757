"""The dynamic-pricing bandit that pybandits ships: `SmabBernoulliDP` on `BetaDP` arms, one for each candidate price.

Played as its documentation says: each product has a bandit whose actions are its candidates, each with its price (what
a sale gains, where margin is the objective). `predict` draws a chance of sale for every action and returns the one with
the highest price x chance; `update` counts who bought. It is asked for every store in every tick, and told each visit
that found the product, after the tick. It knows neither stock nor the hour.

The library is of the optional extra `peers`, and is imported when a peer is made.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from catalog.load import Catalog
from catalog.pricing import Shelf, Sold
from evaluation.peers.known_shelf import KnownShelf, known_before_opening
from serving.pricing_policy import Asked

NAME = "pybandits_beta"


@dataclass(frozen=True)
class PybanditsBeta:
    """The peer. Its bandits, one for each product, learn in place: a peer is played once."""

    known: KnownShelf
    bandits: tuple[Any, ...] = field(repr=False)
    name: str = NAME
    model_version: str | None = None
    rules: tuple[str, ...] = ("greedy",)

    def ask(self, shelf: Shelf) -> Asked:
        """Let each product's bandit predict an action for each store."""
        chosen = [bandit.predict(n_samples=len(shelf.stock))[0] for bandit in self.bandits]
        return self.known.ask(np.array(chosen).astype(np.int64).T)

    def learned(self, sold: Sold) -> "PybanditsBeta":
        """Tell each bandit who met its prices and who bought."""
        candidate = self.known.position_of(sold.prices)
        for product, bandit in enumerate(self.bandits):
            met, bought = sold.met[:, product], sold.bought[:, product]
            actions = np.repeat(candidate[:, product], met)
            rewards = np.concatenate([np.arange(came) < sales for came, sales in zip(met, bought, strict=True)])
            if len(actions):
                bandit.update(actions=[str(one) for one in actions], rewards=[int(one) for one in rewards])
        return self


def pybandits_beta(catalog: Catalog, seed: int) -> PybanditsBeta:
    """Return the peer before the first day of a store."""
    from pybandits.model import BetaDP
    from pybandits.smab import SmabBernoulliDP

    known = known_before_opening(catalog)
    bandits = tuple(
        SmabBernoulliDP(
            actions={str(at): BetaDP(price=max(float(gain), 0.0)) for at, gain in enumerate(gains)},
            random_seed=seed * len(known.gains) + product,
        )
        for product, gains in enumerate(known.gains)
    )
    return PybanditsBeta(known, bandits)
