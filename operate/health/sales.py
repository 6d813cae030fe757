"""Check what was sold: no business date is missing, and every decision is in the demand cells."""

import datetime as dt

from catalog.errors import Check
from features.cells import stale_cells
from features.grouped import look_at_folders
from warehouse.advice import on_shelf, situation_of
from warehouse.lake import Partition
from warehouse.sold import sold_dates
from warehouse.workspace import Workspace


def check_decisions(workspace: Workspace, newest: dt.date) -> Check:
    """Warn of business dates that nobody sold between the first and the newest."""
    lake = workspace.lake
    dates = sold_dates(lake)
    first = dates[0] if dates else newest
    days = (first + dt.timedelta(days=day) for day in range((newest - first).days))
    missing = sorted(set(days).difference(dates))
    if missing and not situation_of(workspace.settings).is_a_retailers:
        remedy = f"shelfprice backfill --start {missing[0]} --end {missing[-1]}"
        found = f"through {newest}, {len(missing)} days missing, such as {missing[0]}"
        return Check("decisions", "warning", found, remedy)
    return Check("decisions", "ok", f"{len(dates)} days, through {newest}")


def check_cells(workspace: Workspace) -> Check:
    """Fail where decisions changed and their demand cells did not."""
    unproven: list[Partition] = []
    settled = look_at_folders(workspace.lake, workspace.catalog).settled
    current = stale_cells(workspace.lake, workspace.catalog, settled=settled, on_unproven=unproven.append)
    stale = [*(item.decisions for item in current), *unproven]
    if stale:
        remedy = on_shelf("shelfprice transform", situation_of(workspace.settings))
        return Check("demand cells", "failed", f"{len(stale)} partitions are not in them", remedy)
    return Check("demand cells", "ok", "made from the decisions as they are now")
