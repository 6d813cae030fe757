"""The light is as bad as the worst thing that is known."""

import datetime as dt
from typing import Any

import pytest

from dashboard.data.notices import Notice, health_of
from plugins.operations.up.states import RunningServices, ServiceState

AT = dt.datetime(2026, 1, 8, tzinfo=dt.UTC)


def services(*conditions: Any) -> RunningServices:
    states = [ServiceState(f"service {n}", "", None, one, AT) for n, one in enumerate(conditions)]
    return RunningServices(1, tuple(states))


def told(mood: Any) -> Notice:
    return Notice(f"a {mood}", "text", mood)


@pytest.mark.parametrize(
    ("running", "found", "unproven", "light", "reason"),
    [
        (services("answers"), (), 0, "green", None),
        (services("answers"), (told("info"),), 0, "green", None),
        (services("answers"), (told("warning"),), 0, "amber", "a warning"),
        (services("answers", "restarting"), (), 0, "amber", "service 1 restarts"),
        (services("starting"), (), 0, "amber", "service 0 is starting"),
        (None, (), 0, "amber", "services are not running"),
        (services("silent"), (told("warning"),), 0, "red", "service 0 does not answer"),
        (services("answers"), (told("problem"),), 0, "red", "a problem"),
        (services("answers"), (told("warning"), told("stopped")), 0, "amber", "a stopped"),
        (services("answers"), (told("problem"), told("stopped")), 0, "red", "a problem"),
        (services("answers"), (), 2, "red", "2 files without a receipt"),
    ],
)
def test_the_light_is_as_bad_as_the_worst_thing(
    running: RunningServices | None, found: tuple[Notice, ...], unproven: int, light: str, reason: str | None
) -> None:
    health = health_of(running, found, unproven)
    assert health.light == light
    assert health.reasons == (() if reason is None else (reason,))


def test_the_words_say_what_is_out_of_order_and_what_a_person_did_on_purpose() -> None:
    assert health_of(services("answers"), (told("stopped"),), 0).word == "Stopped by a person"
    assert health_of(services("restarting"), (), 0).word == "Service 0 restarts"
    assert health_of(services("answers"), (), 0, ["nightly crashed"]).word == "Nightly crashed"
    assert health_of(services("restarting", "starting"), (), 0).word == "Service 0 restarts and 1 more"


def test_what_cannot_be_judged_is_broken() -> None:
    assert health_of(None, (), 0, trouble="the lake is away").light == "red"
