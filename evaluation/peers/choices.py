"""The peers that are played, by name, before the first day of a store."""

from catalog.load import Catalog
from evaluation.peers.certainty_equivalence import certainty_equivalence
from evaluation.peers.peer import PeerStore, store_of
from evaluation.peers.thompson_inventory import thompson_inventory
from evaluation.peers.thompson_logit import thompson_logit


def peers_of(catalog: Catalog, seed: int) -> dict[str, PeerStore]:
    """Return every peer in a store of its own, none of which has sold anything."""
    peers = (certainty_equivalence(catalog), thompson_inventory(catalog, seed), thompson_logit(catalog, seed))
    return {peer.name: store_of(catalog, peer) for peer in peers}
