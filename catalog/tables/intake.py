"""What a store says while it sells: receipts, stock and visitors; and exposures made from them."""

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MOMENT, SKU, STORE, TEXT, Column, Table

_TAKEN_AT = Column("taken_at", MOMENT, "when it was taken in, by the clock of this machine", "UTC")
_TAKEN_FROM = Column("taken_from", TEXT, "who sent it: the name of a token, or of a file")

RECEIPT_LINES = Table(
    "receipt_lines",
    "one line of a receipt as the till said it; it counts unless another line voids or corrects it",
    ("store_id", "event_id", "receipt", "line"),
    (
        STORE,
        Column("event_id", LONG_TEXT, "the sender's own id of the line; null where it has none", nullable=True),
        Column("receipt", LONG_TEXT, "number of the receipt; null where there is none", nullable=True),
        Column(
            "line", pa.int32(), "number of the line on the receipt; null without a receipt", "number", nullable=True
        ),
        SKU,
        Column("sold_at", MOMENT, "when it was sold, by the clock of the till", "UTC"),
        Column(
            "units", pa.float64(), "units, below 0 for what was brought back; null on a void", "units", nullable=True
        ),
        Column("price", pa.float64(), "price charged for one unit; null on a void", "EUR", nullable=True),
        Column("currency", TEXT, "currency of the price"),
        Column("offer", LONG_TEXT, "name of the till's own offer that made the price; null without one", nullable=True),
        Column("voids_event_id", LONG_TEXT, "id of the line that this one voids", nullable=True),
        Column("voids_receipt", LONG_TEXT, "receipt of the line that this one voids", nullable=True),
        Column("voids_line", pa.int32(), "number on that receipt", "number", nullable=True),
        Column("corrects_event_id", LONG_TEXT, "id of the line that this one takes the place of", nullable=True),
        Column("corrects_receipt", LONG_TEXT, "receipt of the line that this one takes the place of", nullable=True),
        Column("corrects_line", pa.int32(), "number on that receipt", "number", nullable=True),
        _TAKEN_AT,
        _TAKEN_FROM,
    ),
)

STOCK_EVENTS = Table(
    "stock_events",
    "one count, delivery or loss of a product in a store",
    ("store_id", "event_id", "sku", "happened_at", "kind", "expires_on"),
    (
        STORE,
        Column("event_id", LONG_TEXT, "the sender's own id of the event; null where it has none", nullable=True),
        SKU,
        Column("happened_at", MOMENT, "when it happened, by the clock of the sender", "UTC"),
        Column("kind", TEXT, "count: units that are there; delivery: units that came; spoiled: units thrown away"),
        Column("units", pa.float64(), "units that were counted, came or were thrown away, at least 0", "units"),
        Column(
            "expires_on",
            pa.date32(),
            "last date on which the units that were counted or came may be sold; null where nobody told it",
            nullable=True,
        ),
        _TAKEN_AT,
        _TAKEN_FROM,
    ),
)

TRAFFIC = Table(
    "traffic",
    "one hour of one store in which somebody counted its visitors; what was said last holds",
    ("store_id", "hour_at"),
    (
        STORE,
        Column("hour_at", MOMENT, "when the hour began", "UTC"),
        Column("visitors", pa.float64(), "visitors who came in that hour", "visitors"),
        _TAKEN_AT,
        _TAKEN_FROM,
    ),
)

PRODUCT_VISITS = Table(
    "product_visits",
    "one hour of one product in one store in which somebody counted who looked at it; what was said last holds",
    ("store_id", "sku", "hour_at"),
    (
        STORE,
        SKU,
        Column("hour_at", MOMENT, "when the hour began", "UTC"),
        Column("visits", pa.float64(), "visits in that hour, also to an empty shelf", "visits"),
        _TAKEN_AT,
        _TAKEN_FROM,
    ),
)

EXPOSURES = Table(
    "exposures",
    "one product in one store over a span of one price of ours, or what sold meanwhile at a price that was not ours",
    ("store_id", "sku", "starts_at", "charged_price", "not_ours"),
    (
        STORE,
        SKU,
        Column("starts_at", MOMENT, "when the span begins, opening at the earliest", "UTC"),
        Column("ends_at", MOMENT, "when it ends, closing at the latest", "UTC"),
        Column(
            "price",
            pa.float64(),
            "price of ours that the till charged then: the one it acknowledged last, else the one it was sent; null "
            "where none was released",
            "EUR",
            nullable=True,
        ),
        Column("batch", LONG_TEXT, "id of the newest batch with the product then; null before one", nullable=True),
        Column(
            "label_price",
            pa.float64(),
            "price that the label had acknowledged by then; null where it said nothing",
            "EUR",
            nullable=True,
        ),
        Column("is_acknowledged", pa.bool_(), "whether till and label had both said that they show this price"),
        Column("charged_price", pa.float64(), "price that was charged; the price of ours where nothing sold", "EUR"),
        Column(
            "not_ours",
            TEXT,
            "why its sales are not of our price: `no price released`, `another price`, `offer`, `voided`; null where "
            "they are",
            nullable=True,
        ),
        Column("units", pa.float64(), "units sold at that price, less those brought back", "units"),
        Column(
            "open_minutes", pa.float64(), "opening time in the span; null beside not_ours", "minutes", nullable=True
        ),
        Column(
            "stocked_minutes",
            pa.float64(),
            "opening time with a unit on the shelf; null where stock is not known",
            "minutes",
            nullable=True,
        ),
        Column(
            "visitors",
            pa.float64(),
            "visitors of the store in the span; null where not known",
            "visitors",
            nullable=True,
        ),
        Column(
            "propensity",
            pa.float64(),
            "chance with which the price was drawn; null if it was not",
            "probability",
            nullable=True,
        ),
        Column("design", LONG_TEXT, "name of the design that it was drawn by; null if it was not", nullable=True),
        Column("block", LONG_TEXT, "block of that design; null if it was not drawn", nullable=True),
    ),
)
