"""The route of label servers that fetch: the prices that labels of a store have to show, each with its batch.

What is fetched is what `shelfprice export` recorded: with `--to pull` it makes batches and sends them to nobody. A
server asks with the number that it was given last, so it gets what is new and nothing else; what its labels show it
says to `/v1/acknowledgements`.
"""

from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from catalog.limits import HIGHEST_NUMBER
from connect.api.clients import Caller
from connect.api.json_body import MEDIA_TYPE, JsonRoute
from connect.api.kept_desk import OpenWorkspace
from connect.api.problems import problem_responses
from connect.api.pushed_batches import BATCH, BatchPriceDocument
from connect.export.batch import document_of_price
from connect.export.export_log import ExportHistory, ExportLog
from serving.quote_desk import UnknownStoreError
from warehouse.lake import Lake

_ANSWER: dict[str, Any] = {
    "store": BATCH["store"],
    "through": BATCH["number"],
    "time_zone": BATCH["time_zone"],
    "currency": BATCH["currency"],
    "prices": [{**BATCH["prices"][0], "batch": BATCH["batch"], "number": BATCH["number"]}],
}
router = APIRouter(prefix="/v1", tags=["batches"], route_class=JsonRoute)


class SentLabels:
    """Reads the record of batches, one request after the other; a part of it is read once."""

    def __init__(self, lake: Lake) -> None:
        self._log, self._reading = ExportLog(lake), Lock()

    def history(self) -> ExportHistory:
        """Return the record of all stores."""
        with self._reading:
            return self._log.history()


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
    response_description="What is new",
    responses={
        200: {"content": {MEDIA_TYPE: {"example": _ANSWER}}},
        **problem_responses("unknown-store", "other-store", "not-valid", "lake-unreadable"),
    },
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
    known = workspace.catalog.store.stores
    if store not in known:
        raise UnknownStoreError(
            f"expected a store of this catalog, such as {known[0]}, found {store!r}; nothing was sent"
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
