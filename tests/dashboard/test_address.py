"""What an address asks for is taken where it is on offer; anything else is the usual."""

import json
from typing import Any

import pytest
from dash import Dash
from hypothesis import given
from hypothesis import strategies as st

from catalog.settings import Settings
from dashboard import app as app_module
from dashboard.address import number_of, one_of, text_of
from dashboard.app import all_pages, create_app

HOSTILE = ["", "nonsense", "<script>alert(1)</script>", "../../etc/passwd", "9" * 400, "-1", "\u0000", ["a", "b"], None]


@given(asked=st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())))
def test_anything_that_an_address_says_is_survived(asked: Any) -> None:
    assert one_of(asked, ["S01", "S02"], "S01") in {"S01", "S02"}
    assert isinstance(text_of(asked), str)
    assert number_of(asked) >= 1


@pytest.fixture(scope="module")
def app(sold: Settings) -> Dash:
    """One monitor for all requests, as in service."""
    return create_app(sold)


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
@pytest.mark.parametrize("asked", HOSTILE, ids=repr)
def test_a_page_stands_whatever_its_address_asks_for(page: Any, asked: Any, app: Dash) -> None:
    with app.server.test_request_context():
        shown = app_module.layout_of(page)(**dict.fromkeys([*page.keeps, "unknown"], asked))
    assert "failed unexpectedly" not in json.dumps(shown.to_plotly_json(), default=str)
