"""The flow run we are in, as Prefect shows it: how it is named and tagged."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from prefect import Flow, get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas import FlowRun, State
from prefect.runtime import flow_run as this_run

from catalog.settings import read_settings
from flows.older_prices import say_damaged_books
from warehouse.asked import strike_out
from warehouse.lake import Lake
from warehouse.open_store import open_store


def tag_run(*tags: str, name: str | None = None) -> None:
    """Tag the flow run we are in, and name it where a name is given.

    Tags that tasks inherit would each cost them a second at the concurrency limiter.
    """
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(this_run.get_id()), tags=list(tags), name=name or this_run.get_name())


def name_run(name: str, **parameters: Any) -> None:
    """Name the flow run we are in, and keep parameters that it chose itself: run again, it chooses the same."""
    run_id = UUID(this_run.get_id())
    with get_client(sync_client=True) as client:
        client.update_flow_run(run_id, name=name, parameters={**this_run.get_parameters(), **parameters})


def ended(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect passes all three
    """Strike out what a run was asked for, once its end is on record: from here on the same command means the next."""
    store = flow_run.parameters.get("store")
    strike_out(open_store(read_settings()).notes, f"{flow.name}-{store}" if store else flow.name)


def warn_of_damaged_books(lake: Lake, dates: Sequence[dt.date]) -> None:
    """Say which damaged books were passed over on some dates, to whoever listens and in the log of the run."""
    for sentence in say_damaged_books(lake, dates):
        get_run_logger().warning(sentence)
