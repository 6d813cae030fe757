"""Every page is there, and what goes wrong is one sentence on it."""

import json
from typing import Any

import pytest

from catalog.errors import LakeError
from catalog.settings import Settings
from dashboard import app as app_module
from dashboard.app import all_pages, create_app
from dashboard.monitor import Page


def callback_of(output: str, **inputs: Any) -> dict[str, Any]:
    """Body of a request that Dash's browser part would send."""
    return {
        "output": f"{output}.children",
        "outputs": {"id": output, "property": "children"},
        "inputs": [{"id": name, "property": "n_clicks", "value": value} for name, value in inputs.items()],
        "changedPropIds": [f"{name}.n_clicks" for name in inputs],
    }


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_a_page_can_be_opened_before_there_is_any_data(page: Page, settings: Settings) -> None:
    server = create_app(settings).server
    answer = server.test_client().get(page.path)
    assert answer.status_code == 200
    with server.test_request_context():
        layout = app_module.layout_of(page)()
    assert "failed unexpectedly" not in json.dumps(layout.to_plotly_json(), default=str)


@pytest.mark.parametrize(
    ("error", "said", "unsaid"),
    [
        (LakeError("run `shelfprice health --files`"), "shelfprice health --files", "Traceback"),
        (ZeroDivisionError("secret detail"), "failed unexpectedly", "secret"),
    ],
)
def test_a_callback_that_fails_is_one_sentence_and_no_traceback(
    error: Exception, said: str, unsaid: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dash import Dash, Input, Output

    def wire(app: Dash, _monitor: object) -> None:
        @app.callback(Output("x", "children"), Input("y", "n_clicks"))
        def fail(_clicks: int) -> str:
            raise error

    broken = Page("broken", "/broken", "Broken", "store", 9, lambda _: None, wire)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(app_module, "all_pages", lambda: [broken])
    client = create_app(settings).server.test_client()
    answer = client.post("/_dash-update-component", json=callback_of("x", y=1), headers={"Origin": "http://localhost"})
    assert answer.status_code == 200
    assert said in answer.text
    assert unsaid not in answer.text


def test_a_page_that_cannot_be_built_is_one_sentence(settings: Settings) -> None:
    def layout(_: object) -> Any:
        raise KeyError("secret")

    broken = Page("broken", "/broken", "Broken", "store", 9, layout, lambda *_: None)
    with create_app(settings).server.test_request_context():
        shown = app_module.layout_of(broken)()
    assert "failed unexpectedly" in str(shown)
    assert "secret" not in str(shown)
