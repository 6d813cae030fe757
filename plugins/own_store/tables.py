"""Tables of stores that sell by themselves: what they sold, received and counted, and the prices drawn for them."""

from pathlib import Path

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MODEL_VERSION, MOMENT, POLICY, SKU, STORE, TEXT, TICK, Column, Table

PRICE_DRAWS = Table(
    "price_draws",
    "one product in one outside store over a week or a day from the date on, with the price that was drawn for it",
    ("store_id", "sku"),
    (
        STORE,
        SKU,
        Column("through", pa.date32(), "last business date of the draw; the price stands on until another is drawn"),
        Column("price", pa.float64(), "price that was drawn", "EUR"),
        Column("shelf_price", pa.float64(), "the owner's price, which the band is around", "EUR"),
        Column("step_from", pa.float64(), "middle of the next coin; every step is measured from `price`", "EUR"),
        Column("propensity", pa.float64(), "chance with which this price was drawn", "probability"),
        Column("low_price", pa.float64(), "lower price of the coin; null where none was thrown", "EUR", nullable=True),
        Column("high_price", pa.float64(), "higher price of the coin; null as above", "EUR", nullable=True),
        Column("is_held", pa.bool_(), "whether the store is held at the owner's prices, and stands at all of them"),
        Column(
            "is_on_the_way",
            pa.bool_(),
            "whether the price goes back to the owner's in steps: its store is in a hold, or the product is drawn no "
            "more; null if that was not recorded",
            nullable=True,
        ),
        Column(
            "held_share", pa.float64(), "chance of a hold; null if it was not recorded", "probability", nullable=True
        ),
        Column(
            "expected_units",
            pa.float64(),
            "units of the draw's slot expected at the owner's price; null before any sale",
            "units",
            nullable=True,
        ),
        Column(
            "response",
            pa.float64(),
            "change of log units with the log price, as believed then",
            "log units per log price",
            nullable=True,
        ),
        Column(
            "response_deviation",
            pa.float64(),
            "standard deviation of that belief",
            "log units per log price",
            nullable=True,
        ),
        Column("design", LONG_TEXT, "name of the rule that the draw follows"),
        Column("block", LONG_TEXT, "the store, and the first date of the stretch of slots that is held whole or not"),
        Column(
            "seed", pa.int64(), "seed of the draw: from it, the belief and the block the draw comes again", "number"
        ),
    ),
)

HOURLY_DRAWS = Table(
    "hourly_draws",
    "one price of an outside store from a tick of its day on, with the chance with which it was to be shown",
    ("store_id", "tick", "sku"),
    (
        STORE,
        TICK,
        SKU,
        Column("price", pa.float64(), "price from this tick on", "EUR"),
        Column("shelf_price", pa.float64(), "the owner's price, which the band is around", "EUR"),
        Column("propensity", pa.float64(), "chance with which the policy showed this price", "probability"),
        POLICY,
        MODEL_VERSION,
    ),
)

SHELF_PRICE_CHANGES = Table(
    "shelf_price_changes",
    "one new shelf price that the owner said for a product whose prices are drawn",
    ("number",),
    (
        Column("number", pa.int64(), "number of the change, from 1", "number"),
        Column("only_store", pa.string(), "store that it is for; null for every store", nullable=True),
        SKU,
        Column("price", pa.float64(), "the owner's new price, which the band is around", "EUR"),
        Column("from_date", pa.date32(), "first business date for which it may be drawn around"),
        Column("drawn_through", pa.date32(), "last date of the newest draw when it was said: the next takes it up"),
        Column("reason", LONG_TEXT, "why"),
        Column("said_by", LONG_TEXT, "who said it"),
        Column("said_at", MOMENT, "when, by the clock", "UTC"),
    ),
    by="key",
)

DESIGN_APPROVALS = Table(
    "design_approvals",
    "one decision of a person about the design of drawn prices, where prices wait for approval",
    ("number",),
    (
        Column("number", pa.int64(), "number of the decision, from 1", "number"),
        Column("design", LONG_TEXT, "the fields of `drawn_prices` in store.yaml, as JSON"),
        Column("is_approved", pa.bool_(), "whether it was approved; otherwise an approval was taken back"),
        Column("reason", LONG_TEXT, "why; null if nobody said", nullable=True),
        Column("by_whom", LONG_TEXT, "who decided"),
        Column("decided_at", MOMENT, "when, by the clock", "UTC"),
    ),
    by="key",
)

EXPERIMENT_OUTCOMES = Table(
    "experiment_outcomes",
    "what an experiment has told of one product, from its coin alone",
    ("number", "sku"),
    (
        Column("number", pa.int64(), "number of the experiment", "number"),
        SKU,
        Column("through", pa.date32(), "last business date that was looked at"),
        Column("is_told", pa.bool_(), "whether sales fall with the price beyond doubt, corrected for all its products"),
        Column(
            "slope",
            pa.float64(),
            "change of log units with the log price; null where open",
            "log units per log price",
            nullable=True,
        ),
        Column(
            "low",
            pa.float64(),
            "lower end of its 95 % interval; null where open",
            "log units per log price",
            nullable=True,
        ),
        Column(
            "high",
            pa.float64(),
            "upper end of its 95 % interval; null where open",
            "log units per log price",
            nullable=True,
        ),
        Column("n_blocks", pa.int64(), "throws of the coin that were sold", "throws"),
        Column(
            "carry",
            pa.float64(),
            "change of log units with the log price of the slot before, where beyond doubt; else null",
            "log units per log price",
            nullable=True,
        ),
    ),
    by="key",
)

EXPERIMENTS = Table(
    "experiments",
    "one experiment that somebody planned: a coin shows some products a step above or below their price",
    ("number",),
    (
        Column("number", pa.int64(), "number of the experiment, from 1", "number"),
        Column("starts", pa.date32(), "first business date"),
        Column("through", pa.date32(), "last business date"),
        Column("step", pa.float64(), "how far each side is from the price, as a share of it", "share"),
        Column("products", pa.list_(pa.string()), "skus of its products"),
        Column("reason", LONG_TEXT, "why, in the words of who asked"),
        Column("asked_by", LONG_TEXT, "who asked for it"),
        Column("asked_at", MOMENT, "when, by the clock", "UTC"),
        Column(
            "withdrawn_from", pa.date32(), "first date that it draws no more; null if it goes to its end", nullable=True
        ),
        Column("withdrawn_reason", LONG_TEXT, "why; null as above", nullable=True),
        Column("withdrawn_by", LONG_TEXT, "who withdrew it; null as above", nullable=True),
        Column("withdrawn_at", MOMENT, "when, by the clock; null as above", "UTC", nullable=True),
    ),
    by="key",
)


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


TABLES = (
    PRICE_DRAWS,
    HOURLY_DRAWS,
    SHELF_PRICE_CHANGES,
    DESIGN_APPROVALS,
    EXPERIMENT_OUTCOMES,
    EXPERIMENTS,
    RECEIPT_LINES,
    STOCK_EVENTS,
    TRAFFIC,
    PRODUCT_VISITS,
    EXPOSURES,
)

VIEWS = Path(__file__).parent / "views"
"""Views over these tables, and what one row of each is."""
