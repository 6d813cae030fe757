"""What a selling store reads of its controls."""

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling, Crashed, Paused, Running

from plugins.live.flow import Request, request_of


@pytest.mark.parametrize(
    ("parameters", "state", "read"),
    [
        ({"tick_seconds": 3}, Running(), Request(3.0)),
        ({"tick_seconds": 99}, Running(), Request(10.0)),
        ({"tick_seconds": "fast"}, Running(), Request(1.0)),
        ({}, Paused(timeout_seconds=60), Request(1.0, is_paused=True)),
        ({}, Cancelling(), Request(1.0, is_stopped=True)),
        ({}, Crashed(), Request(1.0, is_stopped=True)),
    ],
)
def test_a_selling_store_reads_what_the_controls_wrote(
    parameters: dict[str, object], state: object, read: Request
) -> None:
    run = FlowRun.model_construct(parameters=parameters, state=state)
    assert request_of(run, Request(1.0)) == read
