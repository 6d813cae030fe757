"""The flow run we are in, as Prefect shows it: how it is named and tagged."""

from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.runtime import flow_run


def tag_run(*tags: str, name: str | None = None) -> None:
    """Tag the flow run we are in, and name it where a name is given.

    Tags that tasks inherit would each cost them a second at the concurrency limiter.
    """
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), tags=list(tags), name=name or flow_run.get_name())


def name_run(name: str, **parameters: Any) -> None:
    """Name the flow run we are in, and keep parameters that it chose itself: run again, it chooses the same."""
    run_id = UUID(flow_run.get_id())
    with get_client(sync_client=True) as client:
        client.update_flow_run(run_id, name=name, parameters={**flow_run.get_parameters(), **parameters})
