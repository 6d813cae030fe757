"""Check what was sold: no business date is missing, tills send what they charge, and decisions are in demand cells."""

import datetime as dt

from catalog.errors import Check, LakeError
from features.cells import stale_cells
from plugins.connect.labels.late_labels import said_of
from plugins.connect.labels.status import late_in
from plugins.desk.alerts.rules import FEED_REMEDY, PRICE_REMEDY, other_prices, silent_stores
from plugins.desk.records import AlertRules
from warehouse.lake import Partition
from warehouse.query.advice import on_shelf, situation_of
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


def check_tills(workspace: Workspace) -> list[Check]:
    """Warn of stores that send no sales, charge prices that are not ours, or have labels that do not follow.

    What the catalog wants no alert of is not checked.
    """
    rules, found = workspace.catalog.store.section(AlertRules), list[Check]()
    if workspace.catalog.store.sales != "outside":
        return found
    try:
        if rules.silent_days is not None:
            silent = [own.sentence for own in silent_stores(workspace, rules.silent_days)]
            found.append(_said("till feed", silent, FEED_REMEDY, "no till that sent sales has stopped"))
        if rules.other_prices is not None:
            charged = [own.sentence(workspace.catalog) for own in other_prices(workspace, rules.other_prices)]
            found.append(_said("prices charged", charged, PRICE_REMEDY, "tills charge the prices that stand"))
        if rules.labels:
            labels = [said_of(workspace, own) for own in late_in(workspace).values()]
            found.append(_said("labels", labels, "shelfprice export --status", "tills and labels follow what was sent"))
    except LakeError as error:
        found.append(Check("tills", "failed", str(error), "shelfprice doctor --fix"))
    return found


def _said(name: str, found: list[str], remedy: str, fine: str) -> Check:
    return Check(name, "warning", "; ".join(found), remedy) if found else Check(name, "ok", fine)


def check_cells(workspace: Workspace) -> Check:
    """Fail where decisions changed and their demand cells did not."""
    unproven: list[Partition] = []
    current = stale_cells(workspace.lake, workspace.catalog, on_unproven=unproven.append)
    stale = [*(item.decisions for item in current), *unproven]
    if stale:
        remedy = on_shelf("shelfprice transform", situation_of(workspace.settings))
        return Check("demand cells", "failed", f"{len(stale)} partitions are not in them", remedy)
    return Check("demand cells", "ok", "made from the decisions as they are now")
