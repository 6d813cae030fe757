"""What flows share at the edge: where things are, what is retried, and which dates are meant."""

import datetime as dt
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from catalog.errors import DataError, LakeError
from catalog.load import Catalog, load
from catalog.settings import Settings, read_settings
from etl.load import dimensions_are_current, load_dimensions
from features.cells import ALL_VIEWS
from simulation.shoppers import shopper_names
from warehouse.connection import build_file
from warehouse.lake import Lake

DEFAULT_START = dt.date(2026, 1, 5)
DEFAULT_SEED = 7


class Surroundings:
    """The settings, the catalog, and a lake and a warehouse that are ready: from here on anyone may read."""

    def __init__(self, catalog_dir: str | None) -> None:
        self.settings: Settings = read_settings()
        self.catalog_dir: str | None = catalog_dir or self.settings.catalog_dir
        self.catalog: Catalog = load(Path(self.catalog_dir) if self.catalog_dir else None)
        self.lake = Lake(self.settings)
        self.lake.prepare()
        if not dimensions_are_current(self.lake, self.catalog):
            load_dimensions(self.lake, self.catalog, shopper_names(self.catalog.store.shopper_pool, DEFAULT_SEED))
        build_file(self.settings, ALL_VIEWS)


def tag_run(tag: str, name: str | None = None) -> None:
    """Tag the flow run we are in, and name it where a name is given.

    Tags that tasks inherit would each cost them a second at the concurrency limiter.
    """
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), tags=[tag], name=name or flow_run.get_name())


def name_run(name: str, **parameters: Any) -> None:
    """Name the flow run we are in, and keep parameters that it chose itself: run again, it chooses the same."""
    run_id = UUID(flow_run.get_id())
    with get_client(sync_client=True) as client:
        client.update_flow_run(run_id, name=name, parameters={**flow_run.get_parameters(), **parameters})


def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Tell whether a failed task met the disk or a network, which may be better next time; mistakes are not retried."""
    try:
        state.result()
    except (LakeError, OSError):
        return True
    except Exception:  # noqa: BLE001 - any other failure would fail again
        return False
    return False


COMPUTES: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""Options of a task that computes: what it returns is not kept, for what counts is in the lake or the registry."""

TOUCHES_THE_DISK: dict[str, Any] = {
    **COMPUTES,
    "retries": 2,
    "retry_delay_seconds": 1,
    "retry_condition_fn": is_worth_a_retry,
}
"""Options of a task that reads or publishes partitions."""


def dates_from(start: dt.date, days: int) -> list[dt.date]:
    """Return `days` business dates from a first one."""
    return [start + dt.timedelta(days=day) for day in range(days)]


def newest_date(lake: Lake) -> dt.date:
    """Return the newest business date with demand cells.

    Raises
    ------
    DataError
        When there is none.
    """
    dates = lake.dates("demand_cells")
    if not dates:
        raise DataError(
            "expected demand cells in the lake, found none; run `shelfprice simulate` and `shelfprice transform`"
        )
    return dates[-1]
