"""Whatever a program sends that knows the OpenAPI document: every answer is one that the document has."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from price_shop import Shop
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from served_app import serving

from catalog.settings import Settings
from plugins.connect.api.api_tokens import add_token
from plugins.connect.api.app import application
from plugins.connect.api.problems import Problem
from plugins.connect.api.quotes import question_of

# The application answers in threads of this process, whose use of `random` Hypothesis takes for that of its strategies.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BRIEF = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
OPERATIONS = (
    ("GET", "/v1/quotes"),
    ("POST", "/v1/quotes"),
    ("GET", "/v1/health"),
    ("GET", "/v1/price-changes"),
    ("POST", "/v1/price-changes"),
    ("POST", "/v1/price-changes/examined"),
    ("POST", "/v1/price-changes/{change}/events"),
    ("GET", "/v1/labels"),
    ("POST", "/v1/acknowledgements"),
    ("POST", "/v1/sales"),
    ("POST", "/v1/stock"),
    ("POST", "/v1/traffic"),
)


OF_A_STORE = ("/v1/sales", "/v1/stock", "/v1/traffic")


@pytest.fixture(scope="module")
def address(sell_two_days, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """A server on a free port of this machine."""
    home: Settings = sell_two_days(Path(tmp_path_factory.mktemp("api")))
    with serving(application(home)) as own:
        assert httpx.get(f"{own}/v1/health").json()["status"] == "ready"  # the thread of the desk has started
        assert httpx.get(f"{own}/v1/price-changes").json()["count"] == 0  # and that of the other routes
        yield own


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_answer_to_a_generated_request_is_in_the_document(
    address: str, method: str, path: str, mode: str
) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operation = schema[path][method]
    if mode == "negative" and path == "/v1/health":
        pytest.skip("nothing can be sent to it that is wrong")

    is_list = method == "POST"  # a wrong question in a list has its problem in its place; the list is answered
    checks = CHECKS if is_list else [*CHECKS, negative_data_rejection]

    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    @BRIEF
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=address, checks=checks)

    ask()


@pytest.mark.parametrize("path", OF_A_STORE)
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_answer_to_lines_that_a_store_may_send_is_in_the_document(tmp_path: Path, path: str, mode: str) -> None:
    shop = Shop(tmp_path, more="sales: outside\n")
    token = add_token(shop.settings, "till", ["sell"], dt.datetime.now(dt.UTC))
    with serving(application(shop.settings, shop.folder)) as address:
        operation = schemathesis.openapi.from_url(f"{address}/openapi.json")[path]["POST"]
        statuses = set()

        @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
        @BRIEF
        def ask(case: schemathesis.Case) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            statuses.add(case.call_and_validate(base_url=address, checks=CHECKS, headers=headers).status_code)

        ask()
    assert 200 in statuses or mode == "negative"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["sku", "stock", "shown"]), part),
    max_leaves=8,
)


@given(given_question=JSON)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_part_of_a_list_is_a_question_or_a_problem_and_never_a_failure(given_question: object) -> None:
    with suppress(Problem):
        asked = question_of(given_question)
        assert asked.sku
        assert isinstance(asked.stock, int)
