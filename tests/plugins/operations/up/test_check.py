"""The check-up of services: only those that run, and each trouble with its reason."""

import datetime as dt
import os

from catalog.settings import Settings
from plugins.operations.checks.check_up import check_services
from plugins.operations.up.states import ServiceState, write_service_states
from warehouse.commits.locks import UP, held

NOW = dt.datetime(2026, 1, 20, 12, tzinfo=dt.UTC)
LONG_AGO = NOW - dt.timedelta(hours=2)
WELL = ServiceState("prefect", "runs", "http://127.0.0.1:1", "answers", LONG_AGO, (LONG_AGO,), "exited with code 1")
AGAIN = ServiceState("mlflow", "models", "http://127.0.0.1:2", "answers", NOW, (NOW,), "exited with code 3: no disk")
DOWN = ServiceState("worker", "executes", None, "restarting", NOW)


def test_services_that_do_not_run_are_not_held_against_the_store(settings: Settings) -> None:
    settings.home.mkdir(exist_ok=True)
    write_service_states(settings, os.getpid(), [DOWN])
    assert check_services(settings, NOW) == []


def test_services_that_answer_are_in_order_when_no_restart_is_recent(settings: Settings) -> None:
    with held(settings.locks, UP):
        write_service_states(settings, os.getpid(), [WELL, WELL])
        (check,) = check_services(settings, NOW)
    assert (check.state, check.found) == ("ok", "all 2 of `shelfprice up` answer")


def test_a_service_that_is_down_or_was_started_again_of_late_is_a_warning_with_its_reason(settings: Settings) -> None:
    with held(settings.locks, UP):
        write_service_states(settings, os.getpid(), [WELL, AGAIN, DOWN])
        (check,) = check_services(settings, NOW)
    assert check.state == "warning"
    assert check.found == (
        "mlflow answers, started again 1 times within an hour, last because it exited with code 3: no disk; "
        "worker does not answer (restarting)"
    )


def test_a_file_that_says_something_else_is_a_warning(settings: Settings) -> None:
    with held(settings.locks, UP):
        (settings.home / "services.json").write_text("{}", encoding="utf-8")
        (check,) = check_services(settings, NOW)
    assert check.state == "warning"
    assert "services.json: expected how the services are, it holds something else" in check.found
