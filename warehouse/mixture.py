"""Mix the twin's decisions with a retailer's, when that was asked for by name, and remember what stood before.

What is made from decisions (books, models, nights) can come from both sides once they are mixed. What stood before the
mixture came from one side alone, so its fingerprints are kept: they tell the two apart when the sides are taken apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from catalog.errors import Declined, LakeError
from catalog.lock_place import LockPlace
from warehouse.locks import held
from warehouse.origin import LOCK, Origin, Side, origin_of, record, refusal_of
from warehouse.partition import Partition, name_of
from warehouse.sealed_notes import BEFORE_MIXTURE, read_sealed, write_sealed
from warehouse.store import Store

DERIVED = (
    "nights",
    "price_book",
    "demand_curves",
    "beliefs",
    "replaced_price_book",
    "replaced_demand_curves",
    "replaced_beliefs",
    "hourly_price_book",
    "hourly_demand_curves",
    "trial_blocks",
    "trials",
    "champions",
    "model_versions",
    "drift_checks",
)
"""Tables that are made from decisions of whichever side there is, in the order in which they are removed."""

BEFORE = BEFORE_MIXTURE
_PRODUCTS = Partition("products", None, "all")


@dataclass(frozen=True)
class Before:
    """What a lake held when it became a mixture.

    Attributes
    ----------
    side
        Whose decisions it held; None when nobody knows, as in a mixture that is older than the record.
    catalog
        Fingerprint of its catalog.
    derived
        SHA-256 of each file of `DERIVED`, by its name in the lake.
    """

    side: Side | None = None
    catalog: str | None = None
    derived: Mapping[str, str] = field(default_factory=dict)


def allow_mixture(store: Store, locks: LockPlace, side: Side) -> None:
    """Let a side publish in a lake that holds the other's decisions; in a lake of its own nothing changes.

    Raises
    ------
    Declined
        When decisions are being published right now, or a side is being removed.
    """
    with held(locks, LOCK):
        now = origin_of(store)
        if now is None or now.admits(side):
            return
        if now.removing:
            raise Declined(refusal_of(store, now, side))
        if now.holds != "mixture":
            write_sealed(store.notes, BEFORE, asdict(_as_it_is(store, now.holds)))
        record(store, Origin("mixture", is_allowed=True))


def before_mixture(store: Store) -> Before:
    """Return what a lake held before it became a mixture; nothing is known of one that is older than the record."""
    try:
        said = read_sealed(store.notes, BEFORE)
        return Before() if said is None else Before(**said)
    except (ValueError, TypeError) as error:
        raise LakeError(
            f"{store.notes.where(BEFORE)}: expected what the lake held before it was mixed, found something else; "
            "nothing was changed: remove this file, and all books and models are removed with the side"
        ) from error


def derived_partitions(store: Store) -> Iterator[tuple[Partition, str | None]]:
    """Yield the partitions of `DERIVED` in the order of removal, each with its SHA-256, None without a receipt."""
    for table in DERIVED:
        for partition in store.traces(table):
            receipt = store.receipt(partition)
            yield partition, receipt.sha256 if receipt else None


def _as_it_is(store: Store, side: Side) -> Before:
    products = store.receipt(_PRODUCTS)
    derived = {name_of(part): sha256 for part, sha256 in derived_partitions(store) if sha256 is not None}
    return Before(side, products.inputs if products else None, derived)
