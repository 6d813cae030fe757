"""Batches as the document describes them: what `shelfprice export` pushes to an address of the receiver.

Nothing is answered here: the operation stands among the document's webhooks (OpenAPI 3.1), which are requests that a
vendor's server receives. `targets.json_of` writes what is sent, and a test holds both together.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

BATCH: dict[str, Any] = {
    "batch": "f6978131c2b27a198f567fa7",
    "after": "0b6f1a6f1f0e4f9d8c3a2b11",
    "number": 7,
    "store": "S01",
    "recorded_at": "2026-01-19T09:15:02+00:00",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "prices": [
        {
            "sku": "MILK",
            "price": 1.49,
            "till_price": 1.49,
            "unit_price": 1.49,
            "unit": "l",
            "prior_price": 1.69,
            "valid_from": "2026-01-19T09:15:00+00:00",
            "valid_from_local": "2026-01-19T10:15:00+01:00",
        }
    ],
}
"""An example."""
router = APIRouter(tags=["batches"])


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


@router.post(
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
    openapi_extra={"requestBody": {"description": "The batch"}},
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
