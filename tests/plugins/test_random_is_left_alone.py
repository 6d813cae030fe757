"""Property tests draw while nothing else in their process does: whatever ran before, Prefect sends nothing then."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prefect.events import emit_event
from prefect.events.worker import EventsWorker


@pytest.fixture(autouse=True)
def _an_event_after_each_test(prefect_server: str) -> Iterator[None]:
    yield
    emit_event("shelfprice.test", {"prefect.resource.id": "shelfprice.test"})
    assert EventsWorker._instances


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.none())
def test_no_thread_of_prefect_is_left_when_a_property_test_draws(drawn: None) -> None:
    assert drawn is None
    assert not EventsWorker._instances


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.none())
def test_nor_when_a_second_one_draws(drawn: None) -> None:
    assert drawn is None
    assert not EventsWorker._instances
