"""Acknowledgements of tills and labels: each message is checked, and what can be used is recorded.

Recording is idempotent: a client that is not sure whether an acknowledgement arrived sends it again.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from catalog.currency import currency_of
from catalog.records.fields import Price
from catalog.records.refusals import refused, schema_of
from flows.workspace import now_of
from plugins.connect.labels.batch import Acknowledgement, BatchPrice, Device
from plugins.connect.labels.export_log import LOCK, ExportHistory, ExportLog, record_acknowledgements
from plugins.desk.next_ticks import next_ticks
from warehouse.commits.locks import waited_for
from warehouse.workspace import Workspace

MOST_AT_ONCE = 100_000
_FIRST_YEAR = 1970  # where clocks begin that nobody has set
_AHEAD = dt.timedelta(days=1)
_NOISE = 0.01  # smallest units
_NO_REASON = "it gave no reason"
_LONGEST = 200  # characters of a reason
_Prices = Mapping[str, BatchPrice]  # by sku

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class AckMessage(BaseModel):
    """An acknowledgement as a device sends it: of one product of a batch, or of the whole batch."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    batch: Id = Field(description="id of the batch")
    store: Id = Field(description="store of the batch")
    sku: Id | None = Field(default=None, description="product; null for every product of the batch")
    device: Device = Field(description="`till` or `label`")
    price: Price | None = Field(
        default=None,
        description="price that it shows now, in the currency of the batch; null where it shows what that asked for",
    )
    at: AwareDatetime = Field(description="when it showed that, ISO 8601 with an offset, by its own clock")
    ok: bool | None = Field(default=None, description="whether it could do so; null is yes, unless there is an error")
    error: Annotated[str, StringConstraints(min_length=1, max_length=1_000)] | None = Field(
        default=None, description="what went wrong"
    )


@dataclass(frozen=True)
class RefusedAck:
    """An acknowledgement that was not recorded: its position in the request, and why."""

    position: int
    reason: str


@dataclass(frozen=True)
class AckResult:
    """The result of recording acknowledgements.

    Attributes
    ----------
    recorded
        Prices of a till or label that were recorded: one for each product.
    known
        Prices that had been recorded before.
    refused
        Acknowledgements that cannot be used.
    """

    recorded: int
    known: int
    refused: tuple[RefusedAck, ...]


def acknowledge(workspace: Workspace, messages: Sequence[Any], by: str, log: ExportLog | None = None) -> AckResult:
    """Record acknowledgements; their order does not matter.

    Parameters
    ----------
    messages
        Objects with the fields of `AckMessage`; malformed ones are refused.
    by
        The client that sends them.
    log
        Reads the record; one that was used before opens new parts alone.
    """
    lake, catalog, log = workspace.lake, workspace.catalog, log or ExportLog(workspace.lake)
    with waited_for(workspace.settings.locks, LOCK):
        lake.finish_interrupted()
        history = log.history()
        acknowledgements, new, refused = (
            set(history.acknowledgements),
            dict[Acknowledgement, None](),
            list[RefusedAck](),
        )
        now, stores = now_of(workspace), [store for store in history.by_store if store in catalog.store.stores]
        clocks = next_ticks(lake, catalog, stores, now)
        latest = max([now, *clocks.values()]) + _AHEAD
        prices_of = cache(lambda batch: {price.sku: price for price in history.by_id[batch].prices})
        count = 0
        for position, message in enumerate(messages):
            try:
                acks = _acknowledgements_in(message, history, prices_of, latest)
            except ValueError as error:
                refused.append(RefusedAck(position, _reason(error)))
                continue
            count += len(acks)
            new.update(dict.fromkeys(ack for ack in acks if ack not in acknowledgements))
        if new:
            moments = {
                ack.store: clocks.get(ack.store) or history.of(ack.store).batches[-1].effective_at for ack in new
            }
            record_acknowledgements(lake, catalog, list(new), moments, by, now)
    return AckResult(len(new), count - len(new), tuple(refused))


def _acknowledgements_in(
    message: Any, history: ExportHistory, prices_of: Callable[[str], _Prices], latest: dt.datetime
) -> list[Acknowledgement]:
    """Return the acknowledgement of each product in a message.

    Raises
    ------
    ValueError
        When the message cannot be used.
    """
    ack = AckMessage.model_validate(message)
    batch = history.by_id.get(ack.batch)
    if batch is None or batch.store != ack.store:
        raise ValueError(f"batch: expected one that was sent to {ack.store} recently, found {ack.batch!r}")
    if ack.at.year < _FIRST_YEAR or ack.at > latest:
        expected = f"of {_FIRST_YEAR} or later, before {latest:%Y-%m-%d %H:%M} UTC"
        raise ValueError(f"at: expected a moment {expected}, found {ack.at.isoformat()}")
    if ack.ok and ack.error is not None:
        raise ValueError("error: expected none beside ok, found one")
    is_ok = ack.error is None if ack.ok is None else ack.ok
    error = None if is_ok else ack.error or _NO_REASON
    moment = ack.at.astimezone(dt.UTC)
    return [
        Acknowledgement(batch.id, batch.store, sku, ack.device, price, is_ok, error, moment)
        for sku, price in _shown(ack, prices_of(batch.id), batch.currency, is_ok=is_ok)
    ]


def _shown(ack: AckMessage, sent: _Prices, currency: str, *, is_ok: bool) -> list[tuple[str, float | None]]:
    """Return the products that a message is about, with the price that each shows now, EUR."""
    prices = [*sent.values()] if ack.sku is None else [sent[ack.sku]] if ack.sku in sent else []
    if not prices:
        raise ValueError(f"sku: expected a product of the batch, found {ack.sku!r}")
    if ack.price is None:
        return [(price.sku, price.expected(ack.device) if is_ok else None) for price in prices]
    money = currency_of(currency)
    whole = round(ack.price, money.digits)  # some devices count in 32-bit floats, and mean 1.29 by 1.28999996
    shown = whole if whole > 0 and abs(ack.price - whole) * money.scale < _NOISE else ack.price
    if not money.is_whole(shown):
        raise ValueError(f"price: expected whole {money.units_in_words}, found {ack.price}")
    if len(prices) > 1:
        raise ValueError("price: expected none for a whole batch, found one; name the sku")
    return [(prices[0].sku, shown)]


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        refusal = refused(error, schema_of(AckMessage))
        return refusal._replace(field=refusal.field or "acknowledgement").sentence()[:_LONGEST]
    return str(error)[:_LONGEST]
