"""The application: quotes, price changes, acknowledgements and sales, and their OpenAPI document.

A request passes the front door (its own host, no other site's page), then admission (which client, how often, how
much), then a route, which declares the scopes that it needs.
"""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import GZipMiddleware

from catalog.decisions.reasons import json_text
from catalog.settings import Settings
from plugins.connect.api import acknowledgements, labels, metrics, price_changes, quotes, sales
from plugins.connect.api.api_tokens import TokenBook
from plugins.connect.api.clients import CHALLENGE, ClientAdmission, RateLimit
from plugins.connect.api.front_door import LOOPBACK_NAMES, FrontDoor, Send
from plugins.connect.api.front_door import Scope as Connection
from plugins.connect.api.kept_desk import LOOK_EVERY, KeptDesk
from plugins.connect.api.problems import Problem, respond_with_problems
from plugins.connect.intake.intake import ServedIntake
from warehouse.lake import Lake

_DESCRIPTION = (
    "Prices of this machine's price book, for programs on this machine. Reading needs no token; every error is a "
    "problem (RFC 9457) whose `detail` says what was expected, found, what happens now and what to do."
)
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)

_LEAST_COMPRESSED = 64 * 1024  # bytes of a body; a smaller one fits in few packets as it is
_LEVEL = 1  # of gzip: prices repeat so much that more effort saves little


class JsonLine(JSONResponse):
    """A response as the command line prints it: one line of JSON, in which a number that JSON does not have is null."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return f"{json_text(content)}\n".encode()


def application(
    settings: Settings,
    catalog_dir: Path | None = None,
    *,
    look_every: float = LOOK_EVERY,
    anyone_reads: bool = True,
) -> FastAPI:
    """Return the quote API over the lake of some settings; nothing is read before the first request.

    Parameters
    ----------
    catalog_dir
        Folder of the catalog; None for the one that the lake or the project has.
    look_every
        Seconds between two looks whether the lake has changed; 0 to look at every request.
    anyone_reads
        Whether a request without a token may read; not where other machines can reach the server.
    """
    app = FastAPI(
        title="Shelfprice quotes",
        version="1.0",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=JsonLine,
    )
    app.state.desk = KeptDesk(settings, catalog_dir, look_every)
    respond_with_problems(app)
    app.state.labels = labels.SentLabels(Lake(settings))
    app.state.intake = ServedIntake(Lake(settings), app.state.desk.workspace)
    app.state.metrics = metrics.Metrics(app.state.desk.workspace, app.state.labels)
    for routes in (quotes, price_changes, labels, acknowledgements, sales, metrics):
        app.include_router(routes.router)
    app.webhooks.include_router(labels.webhooks)

    tokens, rate_limit = TokenBook(settings), RateLimit(settings.api_rate)
    names = dict.fromkeys((settings.quote_api.host, *LOOPBACK_NAMES, *settings.monitor_hosts))
    app.add_middleware(GZipMiddleware, minimum_size=_LEAST_COMPRESSED, compresslevel=_LEVEL)  # the last one comes first
    app.add_middleware(ClientAdmission, tokens=tokens, rate_limit=rate_limit, anyone_reads=anyone_reads)
    app.add_middleware(FrontDoor, names=list(names), headers=_HEADERS, refuse=_refuse)
    app.add_middleware(metrics.TimedRequests, metrics=app.state.metrics)
    return app


async def _refuse(scope: Connection, send: Send, why: str, status: int) -> None:
    """Answer a request that the front door refuses."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    is_foreign = status == HTTPStatus.FORBIDDEN
    problem = Problem("foreign-site", why) if is_foreign else Problem("unknown-token", why, CHALLENGE)
    response = problem.response()
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body})
