"""How a store is: is everything there, fresh, proven and answering? Each folder checks what it owns."""

import datetime as dt
from collections.abc import Callable

from catalog.errors import Check, LakeError, ServiceError
from catalog.settings import Settings
from etl.live.calendar import newest_sold
from plugins.operations.checks.models import check_age, check_drift, check_prices, check_registry, check_waiting
from plugins.operations.checks.sales import check_cells, check_decisions, check_tills
from plugins.operations.up.states import ServiceState, running_services
from training.registry import ModelRegistry
from warehouse.checks.assertions import broken_assertions
from warehouse.checks.proof import verify
from warehouse.origin import origin_of, sells_outside
from warehouse.query.advice import BEGIN, BEGIN_WITH_A_LOG, situation_of
from warehouse.sold import sold_on
from warehouse.workspace import Workspace


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
    found = verify(workspace.lake, on_file, only_changed=True)
    if found.findings:
        first = found.findings[0]
        said = f"{len(found.findings)} of {found.files} are not as published, such as {first.file}: {first.kind}"
        return Check("files", "failed", said, _remedy(workspace))
    return Check(
        "files", "ok", f"{found.files:,} files that changed or were due, with {found.rows:,} rows, are as published"
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
    troubled = [said for one in running.services if (said := _trouble_of(one, now))]
    if troubled:
        return [Check("services", "warning", "; ".join(troubled), "mend what its reason says; `up` tries again itself")]
    return [Check("services", "ok", f"all {len(running.services)} of `shelfprice up` answer")]


def _trouble_of(service: ServiceState, now: dt.datetime) -> str:
    """Say what is wrong with a service; empty when it answers and was not started again recently."""
    times = service.recent_restarts(now)
    if service.condition == "answers" and not times:
        return ""
    said = "answers" if service.condition == "answers" else f"does not answer ({service.condition})"
    again = f", started again {times} times within an hour" if times else ""
    return f"{service.name} {said}{again}" + (f", last because it {service.reason}" if service.reason else "")
