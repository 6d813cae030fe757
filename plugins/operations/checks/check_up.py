"""How a store is: whether everything is there, fresh, proven and answering.

No business date may be missing, tills must send what they charge, and decisions must be in demand cells.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import PurePosixPath

from catalog.errors import Check, LakeError, ServiceError
from catalog.settings import Settings
from etl.calendar import newest_sold
from features.cells import stale_cells
from plugins.connect.labels.late_labels import said_of
from plugins.connect.labels.status import late_in
from plugins.desk.alerts.rules import FEED_REMEDY, PRICE_REMEDY, other_prices, silent_stores
from plugins.desk.records import AlertRules
from plugins.operations.checks.models import check_age, check_drift, check_prices, check_registry, check_waiting
from plugins.operations.checks.proving import verify
from plugins.operations.up.states import ServiceState, running_services
from training.registry import ModelRegistry
from warehouse.checks.assertions import broken_assertions
from warehouse.lake import Partition
from warehouse.origin import origin_of, sells_outside, sold_dates, sold_on
from warehouse.query.advice import BEGIN, BEGIN_WITH_A_LOG, on_shelf, situation_of
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
        missing_days = f"through {newest}, {len(missing)} days missing, such as {missing[0]}"
        return Check("decisions", "warning", missing_days, remedy)
    return Check("decisions", "ok", f"{len(dates)} days, through {newest}")


def check_tills(workspace: Workspace) -> list[Check]:
    """Warn of stores that send no sales, charge prices that are not ours, or have labels that do not follow.

    What the catalog wants no alert of is not checked.
    """
    rules, checks = workspace.catalog.store.section(AlertRules), list[Check]()
    if workspace.catalog.store.sales != "outside":
        return checks
    try:
        if rules.silent_days is not None:
            silent = [silent_store.sentence for silent_store in silent_stores(workspace, rules.silent_days)]
            checks.append(_said("till feed", silent, FEED_REMEDY, "no till that sent sales has stopped"))
        if rules.other_prices is not None:
            charged = [other.sentence(workspace.catalog) for other in other_prices(workspace, rules.other_prices)]
            checks.append(_said("prices charged", charged, PRICE_REMEDY, "tills charge the prices that stand"))
        if rules.labels:
            labels = [said_of(workspace, label) for label in late_in(workspace).values()]
            checks.append(
                _said("labels", labels, "shelfprice export --status", "tills and labels follow what was sent")
            )
    except LakeError as error:
        checks.append(Check("tills", "failed", str(error), "shelfprice doctor --fix"))
    return checks


def _said(name: str, problems: list[str], remedy: str, fine: str) -> Check:
    return Check(name, "warning", "; ".join(problems), remedy) if problems else Check(name, "ok", fine)


def check_cells(workspace: Workspace) -> Check:
    """Fail where decisions changed and their demand cells did not."""
    unproven: list[Partition] = []
    current = stale_cells(workspace.lake, workspace.catalog, on_unproven=unproven.append)
    stale = [*(item.decisions for item in current), *unproven]
    if stale:
        remedy = on_shelf("shelfprice transform", situation_of(workspace.settings))
        return Check("demand cells", "failed", f"{len(stale)} partitions are not in them", remedy)
    return Check("demand cells", "ok", "made from the decisions as they are now")


def first_steps(workspace: Workspace) -> tuple[str, str]:
    """Return the commands that bring the first sales: of the twin, or of tills, and a file of a retailer's sales."""
    first = "shelfprice take-in FOLDER" if workspace.catalog.store.sales == "outside" else BEGIN
    return first, BEGIN_WITH_A_LOG


def check_up(
    workspace: Workspace,
    registry: ModelRegistry,
    on_file: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Check]:
    """Check the decisions, cells, prices, champion, registry, services and files of a store.

    Parameters
    ----------
    on_file
        Called with (files done, files in all) while the lake is verified.
    """
    newest = newest_sold(workspace.lake)
    is_outside = sells_outside(workspace.lake.store, workspace.catalog.store)
    answers, champion = list[Check](), None
    if not is_outside or workspace.catalog.store.is_priced_hourly:  # drawn prices need no model
        answer, champion = check_registry(workspace, registry)
        answers.append(answer)
    if is_outside:
        champion = None  # none can be too old there
    services = check_services(workspace.settings, dt.datetime.now(dt.UTC))
    files = check_files(workspace, on_file)
    if newest is None:
        nothing = Check("decisions", "warning", "there is nothing to check yet", ", or ".join(first_steps(workspace)))
        return [*check_origin(workspace), nothing, *answers, *services, files]
    return [
        *check_origin(workspace),
        check_decisions(workspace, newest),
        check_cells(workspace),
        check_assertions(workspace, newest),
        *check_tills(workspace),
        *answers,
        *check_age(workspace, champion, newest),
        *check_drift(workspace, champion, newest),
        check_prices(workspace, champion, newest),
        *check_waiting(workspace),
        *services,
        files,
    ]


def check_origin(workspace: Workspace) -> list[Check]:
    """Fail where nobody can tell whose decisions the lake holds."""
    try:
        origin_of(workspace.lake.store)
    except LakeError as error:
        return [Check("origin", "failed", str(error), "shelfprice doctor --fix")]
    return []


def check_files(workspace: Workspace, on_file: Callable[[int, int], None]) -> Check:
    """Hold what changed against its receipt, and some of what was proven longest ago.

    `on_file` is called with (files done, files in all).
    """
    verdict = verify(workspace.lake, on_file, only_changed=True)
    if verdict.findings:
        first = verdict.findings[0]
        name = PurePosixPath(first.name).name
        sentence = f"{len(verdict.findings)} of {verdict.files} are not as published, such as {name}: {first.kind}"
        return Check("files", "failed", sentence, _remedy(workspace))
    return Check(
        "files", "ok", f"{verdict.files:,} files that changed or were due, with {verdict.rows:,} rows, are as published"
    )


def _remedy(workspace: Workspace) -> str:
    """Say how what is damaged is made again: the twin's days are played, a retailer's log is read."""
    try:
        is_a_retailers = situation_of(workspace.settings).is_a_retailers
    except LakeError:  # its origin is what is damaged, which is a check of its own
        is_a_retailers = False
    return "shelfprice doctor --fix" + (", then ingest your files again" if is_a_retailers else "")


def check_assertions(workspace: Workspace, newest: dt.date) -> Check:
    """Run the SQL assertions on the newest closed date; a day that is being sold is not over yet."""
    broken = broken_assertions(workspace.settings, [newest] if any(sold_on(workspace.lake, newest)) else [])
    if broken:
        return Check(
            "assertions", "failed", "; ".join(map(str, broken)), "mend what wrote the rows, then transform again"
        )
    return Check("assertions", "ok", f"all hold on {newest}")


def check_services(settings: Settings, now: dt.datetime) -> list[Check]:
    """Say which services do not answer, and which were started again within the last hour; nothing where none run."""
    try:
        running = running_services(settings)
    except ServiceError as error:
        return [Check("services", "warning", str(error), "shelfprice up")]
    if running is None:
        return []
    troubled = [trouble for service in running.services if (trouble := _trouble_of(service, now))]
    if troubled:
        return [Check("services", "warning", "; ".join(troubled), "mend what its reason says; `up` tries again itself")]
    return [Check("services", "ok", f"all {len(running.services)} of `shelfprice up` answer")]


def _trouble_of(service: ServiceState, now: dt.datetime) -> str:
    """Say what is wrong with a service; empty when it answers and was not started again recently."""
    times = service.recent_restarts(now)
    if service.condition == "answers" and not times:
        return ""
    sentence = "answers" if service.condition == "answers" else f"does not answer ({service.condition})"
    again = f", started again {times} times within an hour" if times else ""
    return f"{service.name} {sentence}{again}" + (f", last because it {service.reason}" if service.reason else "")
