"""What a peer is, and how it is played: behind the guardrails that the product has, and through the same store day."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from catalog.decisions.pricing import PriceDecision, Shelf, Sold
from catalog.decisions.store_day import KeptStock, StoreDay
from catalog.load import Catalog
from etl.twin.store_day import Stretch
from etl.twin.visits import Visits
from plugins.evaluation.peers.certainty_equivalence import certainty_equivalence
from plugins.evaluation.peers.shipped import BAYESIAN_GLM, BETA, bayesianbandits_glm, pybandits_beta
from plugins.evaluation.peers.thompson import thompson_inventory, thompson_logit
from serving.limits.limits import limits_of
from serving.optimise.policies import PricingPolicy
from serving.store.storefront import Storefront

NAMES = ("certainty_equivalence", "thompson_inventory", "thompson_logit")
"""The peers that are always played, from papers, by the names they have in the tables."""
_OF_LIBRARIES: dict[str, tuple[str, Callable[[Catalog, int], "Peer"]]] = {
    BETA: ("pybandits", pybandits_beta),
    BAYESIAN_GLM: ("bayesianbandits", bayesianbandits_glm),
}
SHIPPED_NAMES = tuple(_OF_LIBRARIES)
"""The peers that others ship, played where their library is installed: the optional extra `peers`."""


class Peer(PricingPolicy, Protocol):
    """A pure pricing policy that hands over to what it becomes; after a day's last tick, to tomorrow's."""

    def learned(self, sold: Sold) -> "Peer":
        """Return the peer for the ticks after one, having seen what that one brought."""
        ...


@dataclass(frozen=True)
class PeerStore:
    """A peer that sells within the guardrails; it tries nothing beyond what it asks for.

    Nobody logs the decisions of a peer, so the chance with which it draws a price is not worked out: propensities are
    NaN.
    """

    peer: Peer
    storefront: Storefront

    @property
    def name(self) -> str:
        """The peer's name."""
        return self.peer.name

    @property
    def model_version(self) -> None:
        """No registered model is behind the prices."""
        return

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of every step, in their order."""
        return self.storefront.rules

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product of every store for one tick."""
        decision = self.storefront.decide(shelf)
        return replace(decision, propensity=np.full(decision.prices.shape, np.nan))

    def learned(self, sold: Sold) -> "PeerStore":
        """Return the store with the peer that this one's has become."""
        after = self.peer.learned(sold)
        return PeerStore(after, replace(self.storefront, policy=after))


def store_of(catalog: Catalog, peer: Peer) -> PeerStore:
    """Return a store in which a peer prices the catalog's shelf."""
    return PeerStore(peer, Storefront(peer, limits=limits_of(catalog, are_calm=False)))


def peers_of(catalog: Catalog, seed: int) -> dict[str, PeerStore]:
    """Return every peer that can be played here in a store of its own, none of which has sold anything."""
    peers: list[Peer] = [
        certainty_equivalence(catalog),
        thompson_inventory(catalog, seed),
        thompson_logit(catalog, seed),
        *(make(catalog, seed) for library, make in _OF_LIBRARIES.values() if find_spec(library)),
    ]
    return {peer.name: store_of(catalog, peer) for peer in peers}


def missing_libraries() -> list[str]:
    """Return the libraries whose peers cannot be played here."""
    libraries = dict.fromkeys(library for library, _ in _OF_LIBRARIES.values())
    return [library for library in libraries if not find_spec(library)]


def live_day(
    catalog: Catalog, store: PeerStore, date: dt.date, visits: Visits, kept: KeptStock | None = None
) -> tuple[StoreDay, PeerStore]:
    """Sell a day to given visits, all stores as one zone; return it with the store of the morning after.

    `kept` is what the stores have from the day before; None where nobody knows.
    """
    stretch = Stretch(catalog, store, catalog.store.stores, date, visits, kept=kept)
    for _ in range(len(visits.dice)):
        stretch.sell_tick()
    after = stretch.policy
    if not isinstance(after, PeerStore):
        raise TypeError(f"expected the store of a peer after a day, found {type(after).__name__}; nothing was counted")
    return stretch.played(), after
