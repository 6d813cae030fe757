"""Runs whose process is gone are found by their locks and marked as crashed; those with a process are left alone."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelling, Pending, Running, Scheduled, State
from pydantic import SecretStr

from catalog.settings import Settings
from plugins.operations.up.run_process import lock_of
from plugins.operations.up.zombie_runs import WORKER_LABEL, ZombieRuns, gone_runs, worker_name
from warehouse.commits.locks import held


@flow(name="night-like")
def night_like() -> None:
    """Stand for any flow that is deployed."""


@task
def starts_it() -> None:
    """Stand for the task that a flow within a flow hangs on."""


@pytest.fixture
def client(prefect_server: None) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def deployment(client: SyncPrefectClient) -> UUID:
    return client.create_deployment(client.create_flow(night_like), "default")


def run_in(client: SyncPrefectClient, deployment: UUID, *states: State[None]) -> FlowRun:
    run = client.create_flow_run_from_deployment(deployment)
    for state in states:
        client.set_flow_run_state(run.id, state, force=True)
    return run


def state_of(client: SyncPrefectClient, run: FlowRun) -> str:
    state = client.read_flow_run(run.id).state
    assert state is not None
    return str(state.name)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_the_first_poll_marks_every_deployed_run_without_a_process(
    client: SyncPrefectClient, deployment: UUID, settings: Settings
) -> None:
    gone = [run_in(client, deployment, *states) for states in ([Running()], [Pending()], [Running(), Cancelling()])]
    waiting, at_work = run_in(client, deployment, Scheduled()), run_in(client, deployment, Running())
    with held(settings.locks, lock_of(at_work.id)):
        marked = ZombieRuns(settings).poll(now())
    assert {run.name for run in gone} <= set(marked)
    assert {state_of(client, run) for run in gone} == {"Crashed"}
    assert state_of(client, waiting) == "Scheduled"
    assert state_of(client, at_work) == "Running"


def test_later_a_run_has_a_minute_to_start_and_two_consecutive_polls_must_miss_it(
    client: SyncPrefectClient, deployment: UUID, settings: Settings
) -> None:
    zombies = ZombieRuns(settings)
    zombies.poll(now())
    run = run_in(client, deployment, Running())
    assert run.name not in zombies.poll(now())
    later = now() + dt.timedelta(minutes=2)
    assert run.name not in zombies.poll(later)
    assert run.name in zombies.poll(later)
    assert state_of(client, run) == "Crashed"


def test_a_run_that_is_just_ending_is_not_marked(
    client: SyncPrefectClient, deployment: UUID, settings: Settings
) -> None:
    zombies, later = ZombieRuns(settings), now() + dt.timedelta(minutes=2)
    zombies.poll(now())
    run = run_in(client, deployment, Running())
    assert run.name not in zombies.poll(later)
    with held(settings.locks, lock_of(run.id)):
        assert run.name not in zombies.poll(later)
    assert run.name not in zombies.poll(later)
    assert state_of(client, run) == "Running"


def test_runs_that_a_gone_run_started_are_marked_with_it_and_a_persons_own_runs_are_left(
    client: SyncPrefectClient, deployment: UUID, settings: Settings
) -> None:
    top = run_in(client, deployment, Running())
    hook = client.create_task_run(task=starts_it, flow_run_id=top.id, dynamic_key="0")
    child = client.create_flow_run(night_like, parent_task_run_id=hook.id, state=Running())
    own = client.create_flow_run(night_like, state=Running())
    marked = ZombieRuns(settings).poll(now())
    assert {top.name, child.name} <= set(marked)
    assert own.name not in marked


def test_who_only_looks_is_told_of_runs_without_a_process_and_marks_none(
    client: SyncPrefectClient, deployment: UUID, settings: Settings
) -> None:
    gone, alive = run_in(client, deployment, Running()), run_in(client, deployment, Running())
    with held(settings.locks, lock_of(alive.id)):
        found = gone_runs(settings)
    assert gone.name in found
    assert alive.name not in found
    assert state_of(client, gone) == "Running"


def test_of_two_machines_each_marks_the_runs_that_its_own_worker_took(
    client: SyncPrefectClient, deployment: UUID, settings: Settings, tmp_path: Path
) -> None:
    database = SecretStr("postgresql://ana:secret@127.0.0.1:9/shelfprice")  # nobody asks it for these locks
    here, there = (
        settings.model_copy(update={"home": tmp_path / name, "database": database}) for name in ("here", "there")
    )
    ours, theirs, nobodys = (run_in(client, deployment, Running()) for _ in range(3))
    for run, machine in ((ours, here), (theirs, there)):
        client.update_flow_run_labels(run.id, {WORKER_LABEL: worker_name(machine)})
    assert ours.name in gone_runs(here)
    assert theirs.name not in gone_runs(here)
    zombies = ZombieRuns(here)
    first = zombies.poll(now())
    assert ours.name in first
    assert nobodys.name not in first
    for _ in range(3):
        zombies.poll(now() + dt.timedelta(minutes=2))
    assert state_of(client, ours) == "Crashed"
    assert state_of(client, nobodys) == "Crashed"
    assert state_of(client, theirs) == "Running"
    assert theirs.name in ZombieRuns(there).poll(now())


def test_a_worker_in_a_container_that_was_made_anew_marks_the_runs_of_the_one_before(
    client: SyncPrefectClient,
    deployment: UUID,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = {"home": tmp_path / "data", "database": SecretStr("postgresql://h/n"), "worker": "compose"}
    before = settings.model_copy(update=own)
    run = run_in(client, deployment, Running())
    client.update_flow_run_labels(run.id, {WORKER_LABEL: worker_name(before)})
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    after = settings.model_copy(update=own | {"home": tmp_path / "another volume"})
    assert run.name in ZombieRuns(after).poll(now())
    assert state_of(client, run) == "Crashed"
