"""Where the decisions of a lake come from: the digital twin, a retailer's own log, or a mixture that was asked for.

A lake says so on its own record, `origin.json` in its root. The record is written once, whole, before the first
decisions are published: of two first writers one wins, and the other is refused. A lake that is older than its record
is recognised by what it holds. `Lake.publish` asks the record before it writes decisions, so nobody can forget to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from catalog.errors import Declined, LakeError
from catalog.lock_place import LockPlace
from catalog.names import EXPORT_GROUP
from warehouse.locks import held, shared
from warehouse.partition import Partition
from warehouse.receipts import sealed_text
from warehouse.sealed_notes import ORIGIN, read_sealed
from warehouse.store import Store

Side = Literal["twin", "retailer"]
Holds = Literal["twin", "retailer", "mixture"]

OF_BOTH = ("interactions", "rejected")
OF_THE_TWIN = ("live_interactions", "live_repricings", "repricings", "belief_updates", "days_in_force")
OF_A_RETAILER = ("unit_sales", "promotions", "ingested_files")
"""Tables that both sides publish, and those that one alone does."""

RECORD = ORIGIN
LOCK = "origin"
_SAID = {"twin": "the twin's decisions", "retailer": "a retailer's decisions"}
_MIX = {"twin": "`shelfprice simulate --allow-mixture`", "retailer": "`shelfprice ingest --allow-mixture FILE`"}


@dataclass(frozen=True)
class Origin:
    """What a lake holds.

    Attributes
    ----------
    holds
        The decisions of the twin, those of a retailer, or a mixture.
    is_allowed
        Whether the mixture was asked for by name.
    removing
        The side that is being taken out, None when nothing is.
    """

    holds: Holds
    is_allowed: bool = False
    removing: Side | None = None

    def admits(self, side: Side) -> bool:
        """Tell whether a side may publish decisions."""
        return self.removing is None and (self.holds == side or (self.holds == "mixture" and self.is_allowed))


def other(side: Side) -> Side:
    """Return the other side."""
    return "retailer" if side == "twin" else "twin"


def origin_of(store: Store) -> Origin | None:
    """Return what the lake in a store holds, by its record and by its partitions; None while it holds no decisions.

    Partitions that an earlier version mixed into a lake after it had its record count, too.

    Raises
    ------
    LakeError
        When the record cannot be read.
    """
    now = recorded(store)
    if now is None:
        return _recognised(store)
    if now.holds != "mixture" and _is_named(store, other(now.holds)):
        return Origin("mixture", removing=now.removing)
    return now


def refuse_other_side(store: Store, side: Side) -> None:
    """Refuse work of a side in a lake that is not its own, or not its own alone.

    Raises
    ------
    Declined
        With what the lake holds, and what to do.
    """
    now = origin_of(store)
    if now is not None and not now.admits(side):
        raise Declined(refusal_of(store, now, side))


def settle_record(store: Store) -> None:
    """Give a lake with decisions its record where it has none, or one that its partitions contradict."""
    now = origin_of(store)
    if now is None or now == recorded(store):
        return
    if recorded(store) is None:
        _record_first(store, now)
    else:
        record(store, now)


@contextmanager
def publishing(store: Store, locks: LockPlace, side: Side) -> Iterator[None]:
    """Hold the lake for a side while it publishes decisions; the first of them give the lake its record.

    Raises
    ------
    Declined
        When the lake is not that side's.
    """
    with shared(locks, LOCK):
        now = recorded(store)
        if now is None:
            _record_first(store, _recognised(store) or Origin(side))
            now = recorded(store)
        assert now is not None  # noqa: S101 - it was recorded above, by us or by another
        if not now.admits(side):
            raise Declined(refusal_of(store, now, side))
        yield


def begin_removal(store: Store, locks: LockPlace, side: Side) -> None:
    """Write down that a side is being taken out: from here on nobody publishes decisions until that is done.

    Raises
    ------
    Declined
        When decisions are being published right now, or the other side is being taken out.
    """
    with held(locks, LOCK):
        now = origin_of(store)
        if now is not None and now.removing == other(side):
            raise Declined(refusal_of(store, now, side))
        record(store, Origin("mixture", removing=side))


def end_removal(store: Store) -> Origin | None:
    """Write down what is left after a side was taken out, and return it."""
    left = _recognised(store)
    if left is None:
        store.notes.remove(RECORD)
    else:
        record(store, left)
    return left


def side_of(store: Store, partition: Partition) -> Side:
    """Return who published a partition of a table of both sides: only the twin's receipts have a seed."""
    if partition.group.startswith(EXPORT_GROUP):
        return "retailer"
    receipt = store.receipt(partition)
    return "twin" if receipt is None or receipt.is_of_the_twin else "retailer"


def partitions_of(store: Store, side: Side) -> Iterator[Partition]:
    """Yield the partitions that a side published; one whose receipt alone is left counts, too."""
    for table in (*OF_BOTH, *(OF_THE_TWIN if side == "twin" else OF_A_RETAILER)):
        for partition in store.traces(table):
            if table not in OF_BOTH or side_of(store, partition) == side:
                yield partition


def recorded(store: Store) -> Origin | None:
    """Return what the record says; None without one.

    Raises
    ------
    LakeError
        When it cannot be read.
    """
    try:
        said = read_sealed(store.notes, RECORD)
        if said is None:
            return None
        found = Origin(**said)
    except (ValueError, TypeError):
        found = None
    if found is None or found.holds not in get_args(Holds) or found.removing not in (None, *get_args(Side)):
        raise LakeError(
            f"{store.notes.where(RECORD)}: expected what the lake holds ({', '.join(get_args(Holds))}) with its seal, "
            "found something else; nothing was changed: remove this file, and the lake is recognised by its partitions"
        )
    return found


def refusal_of(store: Store, now: Origin, side: Side) -> str:
    """Say in one line why a side may not publish in a lake, and what to do."""
    done = "nothing was played" if side == "twin" else "nothing was ingested"
    if now.removing:
        return (
            f"expected a whole lake in {store.address}, found one from which the {now.removing}'s part is being "
            f"removed; {done}: finish that with `shelfprice reset --only {now.removing}`"
        )
    if now.holds == "mixture":
        return (
            f"expected decisions of one side in the lake in {store.address}, found the twin's mixed with a "
            f"retailer's; {done}: take them apart with `shelfprice reset --only twin` or `shelfprice reset --only "
            f"retailer`, or keep the mixture with {_MIX[side]}"
        )
    return (
        f"expected a lake for {_SAID[side]} in {store.address}, found {_SAID[now.holds]}; {done}: set SHELFPRICE_HOME "
        f"to another folder, or ask for a mixture by name with {_MIX[side]}"
    )


def _recognised(store: Store) -> Origin | None:
    """Return what the partitions say; None where no decisions were ever published."""
    found = [side for side in get_args(Side) if next(partitions_of(store, side), None) is not None]
    if not found:
        return None
    return Origin("mixture" if len(found) > 1 else found[0])


def _is_named(store: Store, side: Side) -> bool:
    """Tell whether the names alone of some partitions give a side away; no file is opened."""
    if side == "twin":
        return any(next(store.traces(table), None) is not None for table in OF_THE_TWIN)
    exported = (part.group.startswith(EXPORT_GROUP) for table in OF_BOTH for part in store.traces(table))
    return any(exported) or any(next(store.traces(table), None) is not None for table in OF_A_RETAILER)


def record(store: Store, now: Origin) -> None:
    """Write the record anew, by one who holds the lock."""
    store.notes.write(RECORD, _text_of(now))


def _record_first(store: Store, now: Origin) -> None:
    """Write the record unless there is one."""
    store.notes.create(RECORD, _text_of(now))


def _text_of(now: Origin) -> str:
    return sealed_text(asdict(now))
