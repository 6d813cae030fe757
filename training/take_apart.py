"""Take a mixture apart: remove everything that one side published, and leave the other side byte for byte as it was.

Books, models and nights of a mixture may have learned from both sides. Those that stood before the mixture did not, and
stay if they were the other side's; all others are removed, and named. First the record says what is being removed, so
from there on nobody publishes decisions, and after a kill the same command goes on. The models stay in MLflow as
history, but none of those that were removed is champion there any more.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree

from catalog.errors import CatalogError, Declined
from catalog.load import Catalog, load
from catalog.progress import Progress, silent
from catalog.settings import Settings
from etl.ledger import in_force_in, kept_catalogs
from etl.prepare import bring_dimensions_up_to_date
from etl.transform import group_all
from features.cells import ALL_VIEWS, stale_cells
from own_data.exports.estimate_shelf import is_untouched
from training.promotion.history import LOCK, history
from training.registry import ModelRegistry
from warehouse.connection import build_file
from warehouse.lake import Lake, Partition
from warehouse.locks import held
from warehouse.mixture import BEFORE, Before, before_mixture, derived_partitions
from warehouse.origin import Origin, Side, begin_removal, end_removal, origin_of, other, partitions_of
from warehouse.partition import name_of
from warehouse.sold import GROUPED, SOLD, sold_partitions
from warehouse.workspace import Workspace

_CHANGES, _VERSIONS = "champions", "model_versions"
_LOCKS = ("night", "learning", "ingest", LOCK)


@dataclass(frozen=True)
class TakenApart:
    """What was done.

    Attributes
    ----------
    removed
        Files that were removed, by table.
    versions
        Model versions that had learned from what was removed, and price no more.
    left
        What the lake holds now; None when nothing is left.
    kept_shelf
        Folder of a shelf that was estimated from the log and corrected by hand, so that it stays.
    """

    removed: dict[str, int]
    versions: tuple[str, ...]
    left: Origin | None
    kept_shelf: Path | None = None


def take_apart(settings: Settings, registry: ModelRegistry, side: Side, progress: Progress = silent) -> TakenApart:
    """Remove everything that a side published.

    Raises
    ------
    Declined
        When the lake holds nothing of that side, or someone works in it right now.
    ModelError
        When a model has to go and the registry is away; nothing was changed.
    """
    lake = Lake(settings)
    now = origin_of(lake.store)
    if now is None or now.holds == other(side):
        raise Declined(f"expected decisions of the {side} in {lake.address}, found none; nothing was removed")
    with _alone_in(settings):
        before = before_mixture(lake.store)
        keeps = before if before.side == other(side) else Before()
        if any(_is_about_models(part) for part in _doomed(lake, keeps)):
            registry.state()  # away: say so before anything is removed
        begin_removal(lake.store, lake.locks, side)
        _put_books_back(lake, keeps)
        doomed = _doomed(lake, keeps)
        if any(_is_about_models(part) for part in doomed):
            _follow(lake, registry, doomed)
        decisions = list(partitions_of(lake.store, side))
        grouped = [replace(part, table=table) for part in decisions if part.table in SOLD for table in GROUPED]
        removed = _remove(lake, [*doomed, *filter(lake.holds, grouped), *decisions], progress)
        kept_shelf = _remove_shelf(settings) if side == "retailer" else None
        catalog = _put_catalog_back(settings, lake, keeps)
        left = end_removal(lake.store)
        lake.notes.remove(BEFORE)
        if catalog is not None:
            _regroup(Workspace(settings, catalog, lake))
        build_file(settings, ALL_VIEWS)
    versions = sorted({part.group.removeprefix("v") for part in doomed if part.table == _VERSIONS})
    return TakenApart(removed, tuple(versions), left, kept_shelf)


@contextmanager
def _alone_in(settings: Settings) -> Iterator[None]:
    """Keep nights, trainings, changes of champion and ingestion out."""
    with ExitStack() as stack:
        for name in _LOCKS:
            stack.enter_context(held(settings.locks, name))
        yield


def _put_books_back(lake: Lake, before: Before) -> None:
    """Put books in force again that stood before the mixture and were replaced in it: the lake kept them."""
    found: dict[dt.date, dict[Partition, Partition]] = {}
    for table in ("beliefs", "demand_curves", "price_book"):
        kept = {
            receipt.sha256: part for part in lake.partitions(f"replaced_{table}") if (receipt := lake.receipt(part))
        }
        for part in lake.partitions(table):
            now, sha256 = lake.receipt(part), before.derived.get(name_of(part))
            if sha256 in kept and (now is None or now.sha256 != sha256):
                found.setdefault(_date_of(part), {})[part] = kept[sha256]
    for date, places in found.items():
        with lake.commit(f"prices-{date}", inputs="as it stood before the mixture", amends=True) as commit:
            for part, source in places.items():
                own = lake.receipt(source)
                commit.publish(part, lake.read(source), inputs=own.inputs if own else "")


def _remove(lake: Lake, partitions: list[Partition], progress: Progress) -> dict[str, int]:
    removed: dict[str, int] = {}
    for done, part in enumerate(partitions, start=1):
        lake.remove(part)
        removed[part.table] = removed.get(part.table, 0) + 1
        progress("removing partitions", done, len(partitions))
    return removed


def _follow(lake: Lake, registry: ModelRegistry, doomed: list[Partition]) -> None:
    """Let the registry follow the newest change of champion that is to stay, or have no champion."""
    gone = {part.group for part in doomed if part.table == _CHANGES}
    left = [change for change in history(lake) if f"{change.change:06d}" not in gone]
    if left:
        registry.follow(left[-1].version, left[-1].change)
    else:
        registry.forget_champion()


def _put_catalog_back(settings: Settings, lake: Lake, before: Before) -> Catalog | None:
    """Publish the shelf and the shoppers of the side that stays; None when nothing stays or its catalog is unknown."""
    catalog = _catalog_left(settings, lake, before)
    if catalog is not None:
        bring_dimensions_up_to_date(lake, catalog)
    return catalog


def _catalog_left(settings: Settings, lake: Lake, before: Before) -> Catalog | None:
    parts = list(sold_partitions(lake))
    if not parts:
        return None
    sold = set(lake.read(parts[-1])["sku"].to_pylist())
    known = {catalog.fingerprint: catalog for catalog in kept_catalogs(lake)}
    asked = [before.catalog, *(row.catalog for row in in_force_in(lake, _date_of(parts[-1]), parts[-1].group))]
    first = [known[fingerprint] for fingerprint in asked if fingerprint in known]
    return next((one for one in (*first, *_shelf_in(settings), *known.values()) if sold <= set(one.skus)), None)


def _shelf_in(settings: Settings) -> list[Catalog]:
    try:
        return [load(settings.shelf)] if settings.shelf.is_dir() else []
    except CatalogError:
        return []


def _regroup(workspace: Workspace) -> None:
    """Group decisions again whose cells were made under the catalog of the side that is gone."""
    stale = stale_cells(workspace.lake, workspace.catalog)
    group_all(workspace, [item for item in stale if workspace.lake.holds(item.cells)])


def _remove_shelf(settings: Settings) -> Path | None:
    """Remove the shelf that was estimated from the log; return its folder when somebody has corrected it."""
    if is_untouched(settings.shelf):
        rmtree(settings.shelf)
    return settings.shelf if settings.shelf.exists() else None


def _doomed(lake: Lake, before: Before) -> list[Partition]:
    """Return the partitions of what was made from decisions and did not stand before the mixture."""
    return [
        part
        for part, sha256 in derived_partitions(lake.store)
        if sha256 is None or before.derived.get(name_of(part)) != sha256
    ]


def _is_about_models(part: Partition) -> bool:
    return part.table in {_CHANGES, _VERSIONS}


def _date_of(part: Partition) -> dt.date:
    return part.business_date or dt.date.min
