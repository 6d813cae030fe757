"""The last runs, against a real Prefect server, a dead port and one that never answers."""

import datetime as dt
import socket
import threading
import time
from contextlib import closing
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Scheduled

from catalog.errors import ServiceError
from dashboard.prefect.runs import Run, Runs

SOON = 15.0
"""Seconds in which two are over on a busy machine, too; without a limit Prefect's client waits for a minute."""


def test_a_dead_port_is_told_soon() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/api"
    began = time.monotonic()
    with pytest.raises(ServiceError, match="does not answer"):
        Runs(address).last(5)
    assert time.monotonic() - began < SOON


def test_an_answer_that_comes_too_late_is_given_up() -> None:
    done = threading.Event()

    def slowly(_api: str, _n: int) -> tuple[Run, ...]:
        done.wait(30)
        return ()

    began = time.monotonic()
    try:
        with pytest.raises(ServiceError, match="no answer within"):
            Runs("http://127.0.0.1:9/api", slowly, patience_s=0.1).last(5)
    finally:
        done.set()
    assert time.monotonic() - began < 5


def test_finished_and_failed_runs_come_newest_first_without_the_runs_they_started(
    prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import flow

    monkeypatch.setattr("dashboard.prefect.runs._PATIENCE", 60.0)  # the machine may be busy
    own = uuid4().hex  # other tests have runs on the same server

    @flow(name=f"child-{own}")
    def child() -> int:
        return 1

    @flow(name=f"works-{own}", flow_run_name=f"works-well-{own}")
    def works() -> int:
        return child()

    @flow(name=f"breaks-{own}", flow_run_name=f"breaks-down-{own}")
    def breaks() -> None:
        raise ValueError("on purpose")

    works()
    with pytest.raises(ValueError, match="on purpose"):
        breaks()
    with get_client(sync_client=True) as client:
        tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
        client.create_flow_run(works, name=f"tomorrow-{own}", state=Scheduled(scheduled_time=tomorrow))
    last = [run for run in Runs(prefect_server, patience_s=60.0).last(200) if own in run.name + run.flow]
    assert [(run.name, run.flow, run.state, run.kind) for run in last] == [
        (f"breaks-down-{own}", f"breaks-{own}", "Failed", "failed"),
        (f"works-well-{own}", f"works-{own}", "Completed", "done"),
    ]
    assert all(run.started_at is not None and run.seconds >= 0 for run in last)
    assert "/runs/flow-run/" in last[0].link


def test_a_failed_run_has_its_reason_until_its_flow_completes_again_however_many_runs_came_since(
    prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import flow

    monkeypatch.setattr("dashboard.prefect.runs._PATIENCE", 60.0)  # the machine may be busy
    own = uuid4().hex  # other tests have runs on the same server

    @flow(name=f"nightly-{own}")
    def nightly(*, is_broken: bool) -> None:
        if is_broken:
            raise ValueError("two lines\nthe disk is full")

    def reasons() -> list[str]:
        return [run.reason for run in Runs(prefect_server, patience_s=60.0).last(1) if run.flow == f"nightly-{own}"]

    with pytest.raises(ValueError, match="the disk is full"):
        nightly(is_broken=True)
    flow(name=f"hourly-{own}")(lambda: None)()
    assert reasons() == ["the disk is full"]
    nightly(is_broken=False)
    assert [reason for reason in reasons() if reason] == []
