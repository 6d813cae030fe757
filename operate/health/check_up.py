"""How a store is: is everything there, fresh, proven and answering? Each folder checks what it owns."""

import datetime as dt
from collections.abc import Callable

from catalog.errors import Check
from etl.live.calendar import newest_sold
from operate.health.lake import check_assertions, check_files, check_origin
from operate.health.models import check_age, check_drift, check_prices, check_registry, check_waiting
from operate.health.sales import check_cells, check_decisions, check_tills
from operate.health.services import check_services
from training.registry import ModelRegistry
from warehouse.advice import BEGIN, BEGIN_WITH_A_LOG
from warehouse.origin import sells_outside
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
