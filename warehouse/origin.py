"""Where the decisions of a lake come from: the digital twin, a retailer's own log, or a mixture that was asked for.

A lake says so on its own record, `origin.json` in its root. The record is written once, whole, before the first
decisions are published: of two first writers one wins, and the other is refused. A lake that is older than its record
is recognised by what it holds. `Lake.publish` asks the record before it writes decisions, so nobody can forget to.
"""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from catalog.errors import Declined, LakeError
from catalog.lock_place import LockPlace
from catalog.names import EMPTY_GROUP, EXPORT_GROUP
from warehouse.files import sync_file, sync_folder, write_durably
from warehouse.locks import held, shared
from warehouse.receipts import receipt_in_force

Side = Literal["twin", "retailer"]
Holds = Literal["twin", "retailer", "mixture"]

OF_BOTH = ("interactions", "rejected")
OF_THE_TWIN = ("live_interactions", "live_repricings", "repricings", "belief_updates", "days_in_force")
OF_A_RETAILER = ("unit_sales", "promotions", "ingested_files")
"""Tables that both sides publish, and those that one alone does."""

RECORD = "origin.json"
LOCK = "origin"
_RECEIPT = ".receipt.json"
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


def origin_of(root: Path) -> Origin | None:
    """Return what the lake under `root` holds, by its record and by its partitions; None while it holds no decisions.

    Partitions that an earlier version mixed into a lake after it had its record count, too.

    Raises
    ------
    LakeError
        When the record cannot be read.
    """
    now = recorded(root)
    if now is None:
        return _recognised(root)
    if now.holds != "mixture" and _is_named(root, other(now.holds)):
        return Origin("mixture", removing=now.removing)
    return now


def refuse_other_side(root: Path, side: Side) -> None:
    """Refuse work of a side in a lake that is not its own, or not its own alone.

    Raises
    ------
    Declined
        With what the lake holds, and what to do.
    """
    now = origin_of(root)
    if now is not None and not now.admits(side):
        raise Declined(refusal_of(root, now, side))


def settle_record(root: Path) -> None:
    """Give a lake with decisions its record where it has none, or one that its partitions contradict."""
    now = origin_of(root)
    if now is None or now == recorded(root):
        return
    if recorded(root) is None:
        _record_first(root, now)
    else:
        record(root, now)


@contextmanager
def publishing(root: Path, locks: LockPlace, side: Side) -> Iterator[None]:
    """Hold the lake for a side while it publishes decisions; the first of them give the lake its record.

    Raises
    ------
    Declined
        When the lake is not that side's.
    """
    with shared(locks, LOCK):
        now = recorded(root)
        if now is None:
            _record_first(root, _recognised(root) or Origin(side))
            now = recorded(root)
        assert now is not None  # noqa: S101 - it was recorded above, by us or by another
        if not now.admits(side):
            raise Declined(refusal_of(root, now, side))
        yield


def begin_removal(root: Path, locks: LockPlace, side: Side) -> None:
    """Write down that a side is being taken out: from here on nobody publishes decisions until that is done.

    Raises
    ------
    Declined
        When decisions are being published right now, or the other side is being taken out.
    """
    with held(locks, LOCK):
        now = origin_of(root)
        if now is not None and now.removing == other(side):
            raise Declined(refusal_of(root, now, side))
        record(root, Origin("mixture", removing=side))


def end_removal(root: Path) -> Origin | None:
    """Write down what is left after a side was taken out, and return it."""
    left = _recognised(root)
    if left is None:
        (root / RECORD).unlink(missing_ok=True)
        sync_folder(root)
    else:
        record(root, left)
    return left


def side_of(data: Path) -> Side:
    """Return who published a partition file of a table of both sides: only the twin's receipts have a seed."""
    if data.stem.startswith(f"part-{EXPORT_GROUP}"):
        return "retailer"
    try:
        receipt = receipt_in_force(data)
    except LakeError:
        return "twin"
    return "twin" if receipt is None or receipt.is_of_the_twin else "retailer"


def files_of(root: Path, side: Side) -> Iterator[Path]:
    """Yield the files of the partitions that a side published; one whose receipt alone is left counts, too."""
    for table in (*OF_BOTH, *(OF_THE_TWIN if side == "twin" else OF_A_RETAILER)):
        for data in files_in(root / table):
            if table not in OF_BOTH or side_of(data) == side:
                yield data


def recorded(root: Path) -> Origin | None:
    """Return what the record says; None without one.

    Raises
    ------
    LakeError
        When it cannot be read.
    """
    path = root / RECORD
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        found = Origin(**said)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        found = None
    if found is None or found.holds not in get_args(Holds) or found.removing not in (None, *get_args(Side)):
        raise LakeError(
            f"{path}: expected what the lake holds ({', '.join(get_args(Holds))}), found something else; nothing was "
            "changed: remove this file, and the lake is recognised by its partitions"
        )
    return found


def refusal_of(root: Path, now: Origin, side: Side) -> str:
    """Say in one line why a side may not publish in a lake, and what to do."""
    done = "nothing was played" if side == "twin" else "nothing was ingested"
    if now.removing:
        return (
            f"expected a whole lake in {root}, found one from which the {now.removing}'s part is being removed; {done}"
            f": finish that with `shelfprice reset --only {now.removing}`"
        )
    if now.holds == "mixture":
        return (
            f"expected decisions of one side in the lake in {root}, found the twin's mixed with a retailer's; {done}: "
            "take them apart with `shelfprice reset --only twin` or `shelfprice reset --only retailer`, or keep the "
            f"mixture with {_MIX[side]}"
        )
    return (
        f"expected a lake for {_SAID[side]} in {root}, found {_SAID[now.holds]}; {done}: set SHELFPRICE_HOME to "
        f"another folder, or ask for a mixture by name with {_MIX[side]}"
    )


def _recognised(root: Path) -> Origin | None:
    """Return what the partitions say; None where no decisions were ever published."""
    found = [side for side in get_args(Side) if next(files_of(root, side), None) is not None]
    if not found:
        return None
    return Origin("mixture" if len(found) > 1 else found[0])


def _is_named(root: Path, side: Side) -> bool:
    """Tell whether the names alone of some partitions give a side away; no file is opened."""
    if side == "twin":
        return any(next(files_in(root / table), None) is not None for table in OF_THE_TWIN)
    exported = (next((root / table).glob(f"*/part-{EXPORT_GROUP}*"), None) is not None for table in OF_BOTH)
    return any(exported) or any(next(files_in(root / table), None) is not None for table in OF_A_RETAILER)


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the files of partitions in order; one that is gone and left its receipt counts, too."""
    found = (_data_of(path) for path in folder.glob("**/part-*"))
    yield from sorted({data for data in found if data is not None and data.stem != f"part-{EMPTY_GROUP}"})


def _data_of(path: Path) -> Path | None:
    if path.name.endswith(_RECEIPT):
        return path.with_name(path.name.removesuffix(_RECEIPT) + ".parquet")
    return path if path.suffix == ".parquet" else None


def record(root: Path, now: Origin) -> None:
    """Write the record anew, by one who holds the lock."""
    root.mkdir(parents=True, exist_ok=True)
    write_durably(root / RECORD, _text_of(now))
    sync_folder(root)


def _record_first(root: Path, now: Origin) -> None:
    """Write the record unless there is one: a link is made whole or not at all, and never over another."""
    root.mkdir(parents=True, exist_ok=True)
    draft = root / f"{RECORD}.{os.getpid()}-{threading.get_ident()}.draft"
    draft.write_text(_text_of(now), encoding="utf-8")
    try:
        sync_file(draft)
        os.link(draft, root / RECORD)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    sync_folder(root)


def _text_of(now: Origin) -> str:
    return json.dumps(asdict(now), sort_keys=True) + "\n"
