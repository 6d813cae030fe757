"""The application: quotes and price changes, their OpenAPI document and page, behind what every request has to pass.

A request passes the front door (its own host, no other site's page), then admission (who, how often, how much), then a
route. Routes of another part come in as further routers; they say what they need by `admission.requires`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi

from catalog.front_door import LOOPBACK_NAMES, FrontDoor, Send
from catalog.front_door import Scope as Connection
from catalog.settings import Settings
from connect.api.admission import Admission, requires
from connect.api.documents import schemas
from connect.api.kept_desk import LOOK_EVERY, KeptDesk
from connect.api.page import STYLE_HASH, page_of
from connect.api.price_changes import price_changes_router
from connect.api.problems import PAGE, Problem, answer_with_problems, send_problem
from connect.api.quotes import QuickQuotes, quotes_router
from connect.api.rates import Rates
from connect.api.tokens import TokenBook
from connect.export.router import acknowledgements_router
from warehouse.lake import Lake
from warehouse.workspace import Workspace

_VERSION = "1.0"
_SAID = (
    "Prices of this machine's price book, for programs on this machine. Reading needs no token; every error is a "
    "problem (RFC 9457) whose `detail` says what was expected, found, what happens now and what to do."
)
_POLICY = f"default-src 'none'; style-src '{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


def application(
    settings: Settings,
    catalog_dir: Path | None = None,
    *,
    look_every: float = LOOK_EVERY,
    routers: Sequence[APIRouter] = (),
    anyone_reads: bool = True,
) -> FastAPI:
    """Return the quote API over the lake of some settings; nothing is read before the first request.

    Parameters
    ----------
    catalog_dir
        Folder of the catalog; None for the one that the lake or the project has.
    look_every
        Seconds between two looks whether the lake has changed; 0 to look at every request.
    routers
        Routes of other parts.
    anyone_reads
        Whether a request without a token may read; not where other machines can reach the server.
    """
    app = FastAPI(
        title="Shelfprice quotes",
        version=_VERSION,
        description=_SAID,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = KeptDesk(settings, catalog_dir, look_every)
    answer_with_problems(app)
    kept, lake = app.state.desk, Lake(settings)

    def opened() -> Workspace:
        return Workspace(settings, kept.catalog_in_force(), lake)

    changes = price_changes_router(opened)
    acknowledged = acknowledgements_router(opened, requires("acknowledge"))
    for router in (quotes_router(kept), changes, acknowledged, *routers):
        app.include_router(router)
    _add_page(app)
    names = dict.fromkeys((settings.quote_api.host, *LOOPBACK_NAMES, *settings.monitor_hosts))
    app.add_middleware(QuickQuotes, kept=app.state.desk)  # what is added last comes first
    app.add_middleware(Admission, tokens=TokenBook(settings), rates=Rates(settings.api_rate), anyone_reads=anyone_reads)
    app.add_middleware(FrontDoor, names=list(names), headers=_HEADERS, refuse=_refuse)
    return app


def _add_page(app: FastAPI) -> None:
    """Add the OpenAPI document with all shapes, and the page that shows it."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            parts = made.setdefault("components", {})
            parts["schemas"] = {**parts.get("schemas", {}), **schemas()}
            known = parts.setdefault("securitySchemes", {})
            known["token"] = {
                "type": "http",
                "scheme": "bearer",
                "description": "A token that `shelfprice token add` printed. It opens what its scopes say.",
            }
            app.openapi_schema = made
        return app.openapi_schema

    async def page() -> Response:
        return Response(page_of(document()), media_type="text/html")

    app.openapi = document  # type: ignore[method-assign] # as the framework's own guide does it
    app.add_api_route(PAGE, page, methods=["GET"], include_in_schema=False)


async def _refuse(scope: Connection, send: Send, why: str, status: int) -> None:
    """Tell a request that the front door refuses why."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    kind = "foreign-site" if status == 403 else "unknown-token"  # noqa: PLR2004 - forbidden
    challenge = {} if status == 403 else {"WWW-Authenticate": 'Bearer realm="Shelfprice"'}  # noqa: PLR2004
    await send_problem(send, Problem(kind, why, challenge))
