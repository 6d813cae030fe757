"""`GET /metrics`, in Prometheus's format: what this process answered, and how nights, export and labels stand.

Requests and lines are counted in this process. The rest is read from the lake when somebody asks, at most once a
minute, so each replica says the same of it. A lake that cannot be read leaves its numbers out and says so by one of its
own, `shelfprice_lake_is_readable`.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from catalog.errors import ShelfpriceError
from plugins.connect.api.front_door import Application, Receive, Scope, Send
from plugins.connect.api.labels import SentLabels
from plugins.connect.labels.status import late_in
from warehouse.lake import Lake
from warehouse.origin import SOLD, newest_closed
from warehouse.workspace import Workspace

PATH = "/metrics"
_KEPT = 60.0  # seconds; a scrape a quarter of a minute reads the lake once in four
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_OTHER = "other"  # what clients choose themselves is no label: each text would be a series of its own
router = APIRouter()


@router.get(PATH, include_in_schema=False)
def metrics(request: Request) -> Response:
    """Return the numbers as text."""
    metrics: Metrics = request.app.state.metrics
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


class Metrics:
    """The numbers of one application, in a registry of its own."""

    def __init__(self, workspace: Callable[[], Workspace], labels: SentLabels) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "shelfprice_api_request_seconds",
            "Time until a request was answered; 4xx and 5xx are problems.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.quotes = Counter("shelfprice_quotes", "Questions for a price that were asked.", registry=self.registry)
        self.lines = Counter(
            "shelfprice_intake_lines", "Lines that stores sent.", ("kind", "result"), registry=self.registry
        )
        self.registry.register(LakeNumbers(workspace, labels))


class TimedRequests:
    """ASGI middleware that times every request, those that are refused at the door, too."""

    def __init__(self, application: Application, metrics: Metrics) -> None:
        self._application, self._metrics = application, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on and note how it was answered."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        status = 500

        async def noted(message: Scope) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        begun = time.perf_counter()
        try:
            await self._application(scope, receive, noted)
        finally:
            self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else _OTHER
        route = getattr(scope.get("route"), "path", _OTHER)
        self._metrics.requests.labels(method, route, str(status)).observe(seconds)


class LakeNumbers(Collector):
    """Numbers of the lake, as they were at most a minute ago."""

    def __init__(self, workspace: Callable[[], Workspace], labels: SentLabels) -> None:
        self._workspace, self._labels = workspace, labels
        self._looking, self._until = Lock(), -float("inf")
        self._found: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """Return the numbers; they are looked up anew when they are old."""
        with self._looking:
            if time.monotonic() >= self._until:
                try:
                    workspace = self._workspace()
                    self._found = [*_of_nights(workspace.lake), *_of_labels(workspace, self._labels), _readable(1)]
                except (ShelfpriceError, OSError):
                    self._found = [_readable(0)]
                self._until = time.monotonic() + _KEPT
            return self._found


def _of_nights(lake: Lake) -> Iterator[Metric]:
    """Yield which date is closed, for which one there are prices, and how long the way from one to the other took."""
    closed, priced = newest_closed(lake), next(lake.newest_dates("booked_prices"), None)
    if closed is not None:
        yield _moment("closed_date", "Newest business date that is over, at midnight UTC.", _midnight(closed))
    if priced is None:
        return
    yield _moment("priced_date", "Newest business date with a price book, at midnight UTC.", _midnight(priced))
    priced_at = _newest(lake, ("booked_prices",), priced)
    sold_at = _newest(lake, SOLD, priced - dt.timedelta(days=1))
    if priced_at is not None:
        yield _moment("night", "When the newest price book was there: the last night that succeeded.", priced_at)
        if sold_at is not None and sold_at <= priced_at:
            took = (priced_at - sold_at).total_seconds()
            yield _gauge("night_seconds", "From the last sale of a date to the price book of the next one.", took)


def _of_labels(workspace: Workspace, labels: SentLabels) -> Iterator[Metric]:
    """Yield what was sent to tills and labels, and how many of them do not show it in time."""
    history = labels.history()
    if history.batches:
        last = max(batch.recorded_at for batch in history.batches)
        yield _moment("export", "When prices were sent last.", last)
    yield _gauge("export_batches", "Batches of the last 14 business dates.", len(history.batches))
    late = late_in(workspace, history)
    yield _gauge(
        "labels_late", "Tills and labels that do not show in time what was sent to them.", sum(map(len, late.values()))
    )
    yield _gauge("stores_with_labels_late", "Stores that have such.", len(late))


def _newest(lake: Lake, tables: Iterable[str], date: dt.date) -> dt.datetime | None:
    moments = (lake.published_at(part) for table in tables for part in lake.partitions_on(table, date))
    return max((moment for moment in moments if moment is not None), default=None)


def _midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), dt.UTC)


def _moment(name: str, meaning: str, moment: dt.datetime) -> Metric:
    return _gauge(f"{name}_timestamp_seconds", meaning, moment.timestamp())


def _readable(value: int) -> Metric:
    return _gauge("lake_is_readable", "1 while the numbers of the lake can be read, else 0.", value)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"shelfprice_{name}", meaning, value=value)
