"""Acknowledgements: what tills and labels say of a batch is checked, and what can be used is recorded.

What was recorded before is recorded once, so whoever is not sure that an acknowledgement arrived sends it again.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from catalog.currency import Currency, currency_of
from catalog.records.fields import Price
from connect.export.batch import PriceBatch
from connect.export.device_states import Acknowledgement, Device
from connect.export.record import LOCK, ExportHistory, ExportLog, record_acknowledgements
from connect.export.wanted import clocks_of
from warehouse.locks import waited_for
from warehouse.workspace import Workspace

MOST_AT_ONCE = 100_000
_FIRST_YEAR = 1970  # where clocks begin that nobody has set
_AHEAD = dt.timedelta(days=1)
_NOISE = 0.01  # smallest units
_NO_REASON = "it gave no reason"
_LONGEST = 200  # characters of a reason

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class AckMessage(BaseModel):
    """One acknowledgement: of one product of a batch, or of the whole batch."""

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
    """An acknowledgement that was not recorded: its position among those handed over, and why."""

    position: int
    reason: str


@dataclass(frozen=True)
class AckResult:
    """What became of acknowledgements.

    Attributes
    ----------
    recorded
        Prices of a till or label that were recorded: one for each product.
    known
        Those that had been recorded before.
    refused
        Acknowledgements that cannot be used.
    """

    recorded: int
    known: int
    refused: tuple[RefusedAck, ...]


def acknowledge(workspace: Workspace, acks: Sequence[Any], by: str, recorded: ExportLog | None = None) -> AckResult:
    """Record what tills and labels say; their order does not matter.

    Parameters
    ----------
    acks
        Acknowledgements with the fields of `AckMessage`; what is none is refused.
    by
        Who hands them over.
    recorded
        Reads what is recorded; one that was used before opens new parts alone.
    """
    lake, catalog, recorded = workspace.lake, workspace.catalog, recorded or ExportLog(workspace.lake)
    with waited_for(workspace.settings.locks, LOCK):
        lake.finish_interrupted()
        history = recorded.history()
        known, new, refused = set(history.said), dict[Acknowledgement, None](), list[RefusedAck]()
        clocks = clocks_of(lake, catalog, [store for store in history.by_store if store in catalog.store.stores])
        latest = max([dt.datetime.now(dt.UTC), *clocks.values()]) + _AHEAD
        count = 0
        for position, raw in enumerate(acks):
            try:
                said = _said_by(raw, history, latest)
            except ValueError as error:
                refused.append(RefusedAck(position, _reason(error)))
                continue
            count += len(said)
            new.update(dict.fromkeys(own for own in said if own not in known))
        if new:
            at = {own.store: clocks.get(own.store) or history.of(own.store).batches[-1].effective_at for own in new}
            record_acknowledgements(lake, catalog, list(new), at, by)
    return AckResult(len(new), count - len(new), tuple(refused))


def _said_by(raw: Any, history: ExportHistory, latest: dt.datetime) -> list[Acknowledgement]:
    """Return what an acknowledgement says of each product.

    Raises
    ------
    ValueError
        When it cannot be used.
    """
    ack = AckMessage.model_validate(raw)
    batch = history.by_id.get(ack.batch)
    if batch is None or batch.store != ack.store:
        raise ValueError(f"batch: expected one that was sent to {ack.store} of late, found {ack.batch!r}")
    if ack.at.year < _FIRST_YEAR or ack.at > latest:
        known = f"of {_FIRST_YEAR} or later, before {latest:%Y-%m-%d %H:%M} UTC"
        raise ValueError(f"at: expected a moment {known}, found {ack.at.isoformat()}")
    if ack.ok and ack.error is not None:
        raise ValueError("error: expected none beside ok, found one")
    is_ok = ack.error is None if ack.ok is None else ack.ok
    error = None if is_ok else ack.error or _NO_REASON
    at = ack.at.astimezone(dt.UTC)
    return [
        Acknowledgement(batch.id, batch.store, sku, ack.device, price, is_ok, error, at)
        for sku, price in _shown(ack, batch, is_ok)
    ]


def _shown(ack: AckMessage, batch: PriceBatch, is_ok: bool) -> list[tuple[str, float | None]]:  # noqa: FBT001 - a plain fact
    """Return the products that an acknowledgement is of, with the price that each has now, EUR."""
    of_it = [own for own in batch.prices if ack.sku in {None, own.sku}]
    if not of_it:
        raise ValueError(f"sku: expected a product of the batch, found {ack.sku!r}")
    if ack.price is not None:
        money = currency_of(batch.currency)
        price = _nearest(ack.price, money)
        if not money.is_whole(price):
            raise ValueError(f"price: expected whole {money.units_in_words}, found {ack.price}")
        if len(of_it) > 1:
            raise ValueError("price: expected none for a whole batch, found one; name the sku")
        return [(of_it[0].sku, price)]
    return [(own.sku, own.expected(ack.device) if is_ok else None) for own in of_it]


def _nearest(price: float, money: Currency) -> float:
    """Return the price that a device shows: some count in numbers of four bytes, and mean 1.29 by 1.28999996."""
    whole = round(price, money.digits)
    return whole if whole > 0 and abs(price - whole) * money.scale < _NOISE else price


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "acknowledgement"
        return f"{field}: {first['msg']}, found {first['input']!r}"[:_LONGEST]
    return str(error)[:_LONGEST]
