"""Where batches are sent: a folder, or an address that takes each as a request. Both bear the same batch twice."""

import asyncio
import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import httpx

from catalog.addresses import is_loopback, without_login
from catalog.currency import Currency, currency_of
from catalog.errors import DataError, ServiceError
from catalog.settings import Settings
from connect.export.batch import PriceBatch, document_of
from warehouse.files import sync_folder, write_durably
from warehouse.spreadsheet import write_csv

Format = Literal["csv", "json"]

_OF_A_PRICE = ("sku", "price", "till_price", "unit_price", "unit", "prior_price", "valid_from", "valid_from_local")
_COLUMNS = ("batch", "store", *_OF_A_PRICE, "currency")
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)  # s
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # s, between two attempts
_TRY_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504}


class RefusedBatchError(ServiceError):
    """A target that is there does not take a batch, and will not when it is sent again."""


class Target(Protocol):
    """Something that takes batches."""

    @property
    def name(self) -> str:
        """Where it is, without a password: what was delivered is written down under this name."""

    def deliver(self, batch: PriceBatch) -> None:
        """Deliver a batch; one that is there already stays as it is."""


class FolderTarget:
    """A folder with one file, or one of each format, for each batch; every file is whole."""

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
    """An address that takes each batch as a POST whose `Idempotency-Key` is the id of the batch.

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
        """The address without user and password."""
        return without_login(self._url)

    def deliver(self, batch: PriceBatch) -> None:
        """Send a batch, a few times while the receiver is away or busy.

        Raises
        ------
        RefusedBatchError
            When it was refused.
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
        kind = ServiceError if may_pass else RefusedBatchError
        raise kind(
            f"expected {self.name} to take the batch {batch.id}, found that {problem}; it is recorded and will be sent "
            "under the same id by the next `shelfprice export`"
        )

    def _attempt(self, batch: PriceBatch) -> tuple[str | None, bool]:
        """Send a batch once; return what went wrong, None for nothing, and whether another attempt may help."""
        try:
            answer = asyncio.run(self._answer(batch))
        except (httpx.TransportError, TimeoutError) as error:
            return f"it does not answer ({type(error).__name__})", True
        except (httpx.InvalidURL, UnicodeError):
            return "it is no address", False
        said = f"it answers {answer.status_code} {answer.reason_phrase}"
        return (None, False) if answer.is_success else (said, answer.status_code in _TRY_AGAIN)

    async def _answer(self, batch: PriceBatch) -> httpx.Response:
        """Return how a batch is answered; what an answer says beside its status is not read.

        The time is that of the whole attempt: a receiver that sends a byte now and then would hold an export for ever.
        """
        headers = {"Idempotency-Key": batch.id, "Content-Type": "application/json"}
        may_use_proxy = not is_loopback(urlsplit(self._url).hostname or "")
        async with (
            asyncio.timeout(self._patience),
            httpx.AsyncClient(timeout=_TIMEOUT, trust_env=may_use_proxy) as client,
            client.stream("POST", self._url, content=json_of(batch), headers=headers) as answer,
        ):
            return answer


def target_of(settings: Settings, to: str, formats: Sequence[Format] | None = None) -> Target:
    """Return the folder or the address that a person names.

    Raises
    ------
    DataError
        When an address is neither of this machine nor with https, when it is asked for CSV, or when a folder is inside
        the data folder.
    """
    if "://" in to:
        _refuse_address(to)
        if formats is not None and tuple(formats) != ("json",):
            raise DataError("expected json for an address, found another format; nothing was sent: leave --format out")
        return HttpTarget(to)
    folder = Path(to).expanduser().resolve()
    if folder.is_relative_to(settings.home.resolve()):
        raise DataError(
            f"--to {to}: expected a folder outside the data folder {settings.home}, which the flows keep; nothing was "
            "sent: name another folder"
        )
    if folder.exists() and not folder.is_dir():
        raise DataError(f"--to {to}: expected a folder, found a file; nothing was sent: name another")
    return FolderTarget(folder, formats or ("csv", "json"))


def json_of(batch: PriceBatch) -> str:
    """Return a batch as one JSON object."""
    return json.dumps(document_of(batch), ensure_ascii=False, indent=1) + "\n"


def csv_of(batch: PriceBatch) -> str:
    """Return a batch as comma-separated values, one line for each price, which no spreadsheet takes for formulas."""
    document, text, money = document_of(batch), io.StringIO(), currency_of(batch.currency)
    of_batch = {name: document[name] for name in ("batch", "store", "currency")}
    rows = [price | of_batch for price in document["prices"]]
    write_csv(text, _COLUMNS, [[_in_words(row[name], money) for name in _COLUMNS] for row in rows])
    return text.getvalue()


def _in_words(cell: Any, money: Currency) -> Any:
    return money.written(cell) if isinstance(cell, float) else cell


def _refuse_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_safe = bool(parts.hostname and parts.port != 0) and (  # reading a port that is none fails
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        )
    except ValueError:
        is_safe = False
    if not is_safe:
        raise DataError(
            f"--to {without_login(url)}: expected an address with https, or one of this machine with http; found "
            "another: nothing was sent, since others could read or change prices on their way"
        )
