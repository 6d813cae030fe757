"""Delivery targets: a folder, an HTTP endpoint, or label servers that fetch. All are idempotent."""

import asyncio
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

import httpx
import orjson

from catalog.addresses import is_loopback, without_login
from catalog.currency import currency_of
from catalog.errors import DataError, ServiceError
from catalog.settings import Settings
from plugins.connect.labels.batch import PriceBatch, document_of
from warehouse.files import sync_folder, write_durably
from warehouse.query.questions import write_csv

Format = Literal["csv", "json"]
PULL = "pull"
"""Names the target of label servers that fetch; a folder of that name is `./pull`."""

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)  # s
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # s, between two attempts
_RETRIED = {408, 409, 425, 429, 500, 502, 503, 504}


class RefusedBatchError(ServiceError):
    """A target refuses a batch for good: sending it again would not help."""


class Target(Protocol):
    """A receiver of batches."""

    @property
    def name(self) -> str:
        """Its address without a password: deliveries are recorded under this name."""

    def deliver(self, batch: PriceBatch) -> None:
        """Deliver a batch; delivering it twice changes nothing."""


class FolderTarget:
    """A folder that gets a file of each batch in each format; every file is complete."""

    def __init__(self, folder: Path, formats: Sequence[Format] = ("csv", "json")) -> None:
        self.folder, self._formats = folder, tuple(formats)

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    def deliver(self, batch: PriceBatch) -> None:
        """Write the files of a batch.

        Raises
        ------
        ServiceError
            When the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for form in self._formats:
                text = json_of(batch) if form == "json" else csv_of(batch)
                write_durably(self.folder / f"{batch.store}-{batch.number:08d}-{batch.id}.{form}", text)
            sync_folder(self.folder)
        except OSError as error:
            raise ServiceError(
                f"expected a folder that can be written, found {self.folder}: {error.strerror}; the batch {batch.id} "
                "is recorded and will be sent by the next `shelfprice export`"
            ) from error


class HttpTarget:
    """An HTTP endpoint that receives each batch as a POST whose `Idempotency-Key` is the id of the batch.

    Parameters
    ----------
    pause
        Waits some seconds between two attempts.
    patience
        Seconds that an attempt may take.
    """

    def __init__(self, url: str, pause: Callable[[float], None] = time.sleep, patience: float = 10.0) -> None:
        self._url, self._pause, self._patience = url, pause, patience

    @property
    def name(self) -> str:
        """The URL without user and password."""
        return without_login(self._url)

    def deliver(self, batch: PriceBatch) -> None:
        """Send a batch; retry while the receiver is away or busy.

        Raises
        ------
        RefusedBatchError
            When the receiver refuses it.
        ServiceError
            When the receiver is away.
        """
        for pause in (*_PAUSES, None):
            problem, may_pass = self._attempt(batch)
            if problem is None:
                return
            if not may_pass or pause is None:
                break
            self._pause(pause)
        error = ServiceError if may_pass else RefusedBatchError
        raise error(
            f"expected {self.name} to take the batch {batch.id}, but {problem}; the batch is recorded, and the next "
            "`shelfprice export` sends it under the same id"
        )

    def _attempt(self, batch: PriceBatch) -> tuple[str | None, bool]:
        """Send a batch once; return what went wrong, None for nothing, and whether a retry may help."""
        try:
            response = asyncio.run(self._response(batch))
        except (httpx.TransportError, TimeoutError) as error:
            return f"it does not answer ({type(error).__name__})", True
        except (httpx.InvalidURL, UnicodeError):
            return "it is not a valid URL", False
        if response.is_success:
            return None, False
        return f"it answers {response.status_code} {response.reason_phrase}", response.status_code in _RETRIED

    async def _response(self, batch: PriceBatch) -> httpx.Response:
        """Return the response to a batch; its body is not read.

        The timeout is that of the whole attempt: a receiver that sends a byte now and then would hold up an export for
        ever.
        """
        headers = {"Idempotency-Key": batch.id, "Content-Type": "application/json"}
        may_use_proxy = not is_loopback(urlsplit(self._url).hostname or "")
        async with (
            asyncio.timeout(self._patience),
            httpx.AsyncClient(timeout=_TIMEOUT, trust_env=may_use_proxy) as client,
            client.stream("POST", self._url, content=json_of(batch), headers=headers) as response,
        ):
            return response


class PullTarget:
    """Label servers that fetch from the quote API: what is recorded waits there, and is sent to nobody."""

    name = PULL

    def deliver(self, batch: PriceBatch) -> None:
        """Leave the batch in the record."""


def target_of(settings: Settings, to: str, formats: Sequence[Format] | None = None) -> Target:
    """Return the target that a person names: a folder, a URL, or `pull`.

    Raises
    ------
    DataError
        When a URL is neither https nor of this machine, a format is asked for that the target has not, or a folder is
        inside the data folder.
    """
    if to == PULL:
        if formats is not None:
            raise DataError("expected no --format for pull, found one; nothing was done: leave it out")
        return PullTarget()
    if "://" in to:
        _refuse_unsafe(to)
        if formats is not None and tuple(formats) != ("json",):
            raise DataError("expected json for a URL, found another format; nothing was sent: leave --format out")
        return HttpTarget(to)
    folder = Path(to).expanduser().resolve()
    if folder.is_relative_to(settings.home.resolve()):
        raise DataError(
            f"--to {to}: expected a folder outside the data folder {settings.home}; nothing was sent: name another "
            "folder"
        )
    if folder.exists() and not folder.is_dir():
        raise DataError(f"--to {to}: expected a folder, found a file; nothing was sent: name another")
    return FolderTarget(folder, formats or ("csv", "json"))


def json_of(batch: PriceBatch) -> str:
    """Return a batch as one JSON object, indented."""
    return orjson.dumps(document_of(batch), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def csv_of(batch: PriceBatch) -> str:
    """Return a batch as CSV, one line for each price; no cell is a formula to a spreadsheet."""
    prices, amount, text = document_of(batch)["prices"], currency_of(batch.currency).format_amount, io.StringIO()
    cells = ((amount(cell) if isinstance(cell, float) else cell for cell in price.values()) for price in prices)
    rows = ([batch.id, batch.store, *of_price, batch.currency] for of_price in cells)
    write_csv(text, ("batch", "store", *prices[0], "currency"), rows)
    return text.getvalue()


def _refuse_unsafe(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_safe = bool(parts.hostname and parts.port != 0) and (  # reading a port that is none fails
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        )
    except ValueError:
        is_safe = False
    if not is_safe:
        raise DataError(
            f"--to {without_login(url)}: expected an https URL, or an http URL of this machine, found another; "
            "nothing was sent, since others could read or change prices on their way"
        )
