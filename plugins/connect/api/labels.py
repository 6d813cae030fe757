"""Batches for labels: the route of label servers that fetch, and the webhook of receivers that are sent them.

What is fetched is what `shelfprice export` recorded: with `--to pull` it makes batches and sends them to nobody. A
server asks with the number that it was given last, and gets what is newer. The webhook describes what
`shelfprice export` pushes to an address of the receiver: `targets.json_of` writes it, and a test holds both together.
"""

import datetime as dt
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from catalog.bounds import HIGHEST_NUMBER
from plugins.connect.api.clients import Caller
from plugins.connect.api.kept_desk import OpenWorkspace
from plugins.connect.api.problems import problem_responses
from plugins.connect.labels.batch import BatchPrice, PriceBatch, document_of, document_of_price, rows_of
from plugins.connect.labels.export_log import ExportHistory, ExportLog
from serving.quote import UnknownStoreError
from warehouse.lake import Lake

_MADE_AT = dt.datetime(2026, 1, 19, 9, 15, tzinfo=dt.UTC)
_PRICES = rows_of([BatchPrice("MILK", 1.49, _MADE_AT, 1.69, 1.49, "l", 1.49)])
BATCH = document_of(PriceBatch(7, "f697", "0b6f", "S01", _PRICES, _MADE_AT, _MADE_AT, "Europe/Berlin"))
"""An example."""
router, webhooks = APIRouter(prefix="/v1", tags=["batches"]), APIRouter(tags=["batches"])


class SentLabels:
    """Reads the record of batches, one request after the other; a part of it is read once."""

    def __init__(self, lake: Lake) -> None:
        self._log, self._reading = ExportLog(lake), Lock()

    def history(self) -> ExportHistory:
        """Return the record of all stores."""
        with self._reading:
            return self._log.history()


class BatchPriceDocument(BaseModel):
    """The price of one product in a batch. Money in the currency of the batch."""

    model_config = ConfigDict(extra="forbid")

    sku: str = Field(description="Stock-keeping unit.")
    price: float = Field(description="What the label has to show.")
    till_price: float = Field(description="What the till has to charge: while a label may still show less, that.")
    unit_price: float | None = Field(description="Price of one unit of measure; null without a measure.")
    unit: str | None = Field(description="The unit of measure, such as kg; null without one.")
    prior_price: float | None = Field(description="Price that an announced reduction has to name by law; null without.")
    valid_from: AwareDatetime = Field(description="From when the price stands, UTC.")
    valid_from_local: AwareDatetime = Field(description="The same moment on the clock of the store, with its offset.")


class BatchDocument(BaseModel):
    """A batch of prices of one store."""

    model_config = ConfigDict(extra="forbid")

    batch: str = Field(description="Id, a fingerprint of the content: process each batch once, and acknowledge by it.")
    after: str | None = Field(description="Id of the store's batch before it; null for the first.")
    number: int = Field(description="Of two batches of a store, the one with the higher number is newer.")
    store: str = Field(description="The store whose prices these are.")
    recorded_at: AwareDatetime = Field(description="When the batch was made, UTC.")
    time_zone: str = Field(description="Time zone of the store's clock.")
    currency: str = Field(description="Currency of all amounts, a code of ISO 4217.")
    prices: list[BatchPriceDocument] = Field(description="The prices, one for each product.")


class LabelPrice(BatchPriceDocument):
    """The price of one product, with the batch to acknowledge."""

    batch: str = Field(description="Id of the batch that it was sent with: acknowledge by it.")
    number: int = Field(description="Number of that batch.")


class LabelPrices(BaseModel):
    """The prices of a store that are newer than what a label server has. Money in `currency`."""

    store: str
    through: int = Field(description="Number of the newest batch; ask with it as `since` next time.")
    time_zone: str | None = Field(description="Time zone of the store's clock; null before the first batch.")
    currency: str | None = Field(description="Currency of all amounts; null before the first batch.")
    prices: list[LabelPrice] = Field(description="The newest price of each product.")


@router.get(
    "/labels",
    operation_id="labels",
    summary="Fetch the prices that labels have to show",
    responses=problem_responses("unknown-store", "other-store", "not-valid", "lake-unreadable"),
    openapi_extra={"security": [{}, {"token": []}]},
)
def labels(
    request: Request,
    workspace: OpenWorkspace,
    store: Annotated[str, Query(min_length=1, max_length=200, description="The store.", examples=["S01"])],
    since: Annotated[
        int,
        Query(ge=0, le=HIGHEST_NUMBER, description="`through` of the answer before; 0 for every price.", examples=[7]),
    ] = 0,
) -> LabelPrices:
    """Return the newest price of each product on the shelf that was sent after a batch, with the batch of each.

    The batches are those that `shelfprice export` records; `--to pull --follow` makes them without sending them.
    """
    caller: Caller = request.user
    caller.refuse_other_store(store)
    stores = workspace.catalog.store.stores
    if store not in stores:
        raise UnknownStoreError(
            f"expected a store of this catalog, such as {stores[0]}, found {store!r}; nothing was sent"
        )
    sent_labels: SentLabels = request.app.state.labels
    record, skus = sent_labels.history().of(store), set(workspace.catalog.skus)
    if not record.batches:
        return LabelPrices(store=store, through=0, time_zone=None, currency=None, prices=[])
    last, ids = record.batches[-1], {batch.number: batch.id for batch in record.batches}
    prices = [
        LabelPrice(**document_of_price(newest.price, last.time_zone), batch=ids[newest.number], number=newest.number)
        for sku, sent in sorted(record.sent.items())
        if (newest := sent[-1]).number > since and sku in skus
    ]
    return LabelPrices(
        store=store, through=last.number, time_zone=last.time_zone, currency=last.currency, prices=prices
    )


@webhooks.post(
    "price-batch",
    operation_id="price_batch",
    summary="Receive a batch of prices",
    status_code=204,
    response_description="It was received; any status from 200 to 299 says so",
    responses={
        422: {"description": "Refused, as by any status that is not named here: the export says so and ends"},
        503: {
            "description": "Not now; after 408, 409, 425, 429, 500, 502, 503 and 504 it is sent up to four times more"
        },
    },
)
def price_batch(
    batch: Annotated[BatchDocument, Field(examples=[BATCH])],
    idempotency_key: Annotated[
        str, Header(description="Id of the batch: the same id is the same batch.", examples=[BATCH["batch"]])
    ],
) -> None:
    """Sent to your own address by `shelfprice export --to URL`, which is https or on this machine.

    The same batch may come twice. What tills and labels then show is said to `/v1/acknowledgements`.
    """
