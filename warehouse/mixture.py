"""Mix the twin's decisions with a retailer's, when that was asked for by name, and remember what stood before.

What is made from decisions (books, models, nights) can come from both sides once they are mixed. What stood before the
mixture came from one side alone, so its fingerprints are kept: they tell the two apart when the sides are taken apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from catalog.errors import Declined, LakeError
from catalog.lock_place import LockPlace
from warehouse.files import write_durably
from warehouse.locks import held
from warehouse.origin import LOCK, Origin, Side, files_in, origin_of, record, refusal_of
from warehouse.receipts import receipt_in_force, sealed_text, unsealed

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

BEFORE = "before-mixture.json"
_PRODUCTS = "products/part-all.parquet"


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
        SHA-256 of each file of `DERIVED`, by its path in the lake.
    """

    side: Side | None = None
    catalog: str | None = None
    derived: Mapping[str, str] = field(default_factory=dict)


def allow_mixture(root: Path, locks: LockPlace, side: Side) -> None:
    """Let a side publish in a lake that holds the other's decisions; in a lake of its own nothing changes.

    Raises
    ------
    Declined
        When decisions are being published right now, or a side is being removed.
    """
    with held(locks, LOCK):
        now = origin_of(root)
        if now is None or now.admits(side):
            return
        if now.removing:
            raise Declined(refusal_of(root, now, side))
        if now.holds != "mixture":
            write_durably(root / BEFORE, sealed_text(asdict(_as_it_is(root, now.holds))))
        record(root, Origin("mixture", is_allowed=True))


def before_mixture(root: Path) -> Before:
    """Return what a lake held before it became a mixture; nothing is known of one that is older than the record."""
    try:
        return Before(**unsealed((root / BEFORE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Before()
    except (ValueError, TypeError) as error:
        raise LakeError(
            f"{root / BEFORE}: expected what the lake held before it was mixed, found something else; nothing was "
            "changed: remove this file, and all books and models are removed with the side"
        ) from error


def derived_files(root: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield the files of `DERIVED` in the order of removal, each with its SHA-256, None for one without a receipt."""
    for table in DERIVED:
        for data in files_in(root / table):
            yield data, _sha256(data)


def _as_it_is(root: Path, side: Side) -> Before:
    products = receipt_in_force(root / _PRODUCTS)
    derived = {str(data.relative_to(root)): sha256 for data, sha256 in derived_files(root) if sha256 is not None}
    return Before(side, products.inputs if products else None, derived)


def _sha256(data: Path) -> str | None:
    try:
        receipt = receipt_in_force(data)
    except LakeError:
        return None
    return receipt.sha256 if receipt else None
