"""The flow run we are in, as Prefect shows it: how it is named and tagged."""

from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas import FlowRun, State
from prefect.runtime import flow_run as this_run

from catalog.settings import read_settings
from warehouse.asked import strike_out
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
