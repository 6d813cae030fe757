"""What was sold and at which prices: decisions of shoppers, price decisions, a retailer's units and promotions.

Beside them the rows that were rejected, and what is learned from: cells and counts.
"""

from dataclasses import replace

import pyarrow as pa

from catalog.tables.table import (
    CLAMPS,
    INVENTORY_LEVEL,
    LONG_TEXT,
    MODEL_VERSION,
    MOMENT,
    POLICY,
    PRICE_OFFERED,
    SKU,
    STORE,
    TEXT,
    TICK,
    UNIT_VALUE,
    Column,
    Table,
)

UNIT_SALES = Table(
    "unit_sales",
    "one product at one price in one store over one business date, or one hour of it, as a retailer counted it",
    ("store_id", "hour", "sku", "price"),
    (
        STORE,
        Column("hour", pa.int8(), "hour of the local day; null for the whole day", "hours", nullable=True),
        SKU,
        Column("product_name", TEXT, "the product's name that day"),
        Column("price", pa.float64(), "price of one unit", "EUR"),
        Column("units", pa.float64(), "units sold, less those brought back, at least 0", "units"),
        Column("returned_units", pa.float64(), "units that were brought back", "units"),
        Column("receipts", pa.int32(), "receipts that it is on; null when unknown", "receipts", nullable=True),
        Column(
            "traffic",
            pa.float64(),
            "shoppers in the store over that time; null when unknown",
            "shoppers",
            nullable=True,
        ),
        Column("stock", pa.float64(), "stock at the start of that time; null when unknown", "units", nullable=True),
        Column(
            "chances", pa.int64(), "chances to sell one unit that the row stands for, at least its units", "chances"
        ),
        Column(
            "is_sudden_zero",
            pa.bool_(),
            "whether no unit was sold where it usually sells, so that the shelf may have been empty",
        ),
    ),
)

PROMOTIONS = Table(
    "promotions",
    "what a retailer's file says of one product in one store on one business date, beside its price",
    ("store_id", "sku"),
    (
        STORE,
        SKU,
        Column("promotion", pa.bool_(), "whether it was on offer; null when unknown", nullable=True),
        Column("display", pa.bool_(), "whether it stood on a display of its own; null when unknown", nullable=True),
        Column("leaflet", pa.bool_(), "whether it was in a leaflet; null when unknown", nullable=True),
        Column("event", LONG_TEXT, "name of a holiday or event; empty for none, null when unknown", nullable=True),
        Column("regular_price", pa.float64(), "price without any offer; null when unknown", "EUR", nullable=True),
    ),
    unique_in="partition",
)


SEEN_AT = Column("seen_at", MOMENT, "when the shopper considered the product", "UTC")
SHOPPER = Column(
    "shopper_id",
    pa.int32(),
    "the shopper; the twin's are named in shoppers, an export without them counts those of one moment",
    "number",
)
PRODUCT_NAME = Column("product_name", TEXT, "the product's name that day")

INTERACTIONS = Table(
    "interactions",
    "one shopper who considered one product",
    ("store_id", "seen_at", "shopper_id", "sku"),
    (
        STORE,
        TICK,
        SEEN_AT,
        SHOPPER,
        SKU,
        PRODUCT_NAME,
        PRICE_OFFERED,
        INVENTORY_LEVEL,
        Column(
            "budget_multiplier",
            pa.float32(),
            "hidden willingness to pay over base price; never a feature",
            "ratio",
            nullable=True,
        ),
        Column("purchased", pa.bool_(), "whether one unit was bought"),
        Column("outcome", TEXT, "bought, too_expensive or out_of_stock"),
        POLICY,
        Column("propensity", pa.float64(), "chance with which the policy showed this price", "probability"),
        MODEL_VERSION,
        Column(
            "sticker_eur",
            pa.float64(),
            "price on the sticker of last-day units that stood before her, the lowest that she saw; null without one",
            "EUR",
            nullable=True,
        ),
    ),
    varied=("tick", "seen_at", "shopper_id", "inventory_level", "budget_multiplier"),
)

SUBSTITUTIONS = Table(
    "substitutions",
    "one unit that a shopper took instead of the product she came for, whose visit stands in interactions",
    ("store_id", "seen_at", "shopper_id", "instead_of"),
    (
        STORE,
        TICK,
        SEEN_AT,
        SHOPPER,
        Column("instead_of", TEXT, "product that the shopper came for and did not buy; null for a visit to this one"),
        SKU,
        PRODUCT_NAME,
        PRICE_OFFERED,
        INVENTORY_LEVEL,
        POLICY,
        MODEL_VERSION,
    ),
)

REPRICINGS = Table(
    "repricings",
    "one price decision: an opening or a change",
    ("store_id", "tick", "sku"),
    (
        STORE,
        TICK,
        Column("decided_at", MOMENT, "when the price was set", "UTC"),
        SKU,
        Column("old_price", pa.float64(), "the price before; null at opening", "EUR", nullable=True),
        Column("new_price", pa.float64(), "the price from this tick on", "EUR"),
        Column(
            "unconstrained_price",
            pa.float64(),
            "price before any guardrail; null when the policy asked for no usable price",
            "EUR",
            nullable=True,
        ),
        Column("inventory_level", pa.int32(), "stock at the time of the decision", "units"),
        Column(
            "p_sale",
            pa.float64(),
            "chance of sale at the new price; null without a model",
            "probability",
            nullable=True,
        ),
        Column(
            "expected_revenue",
            pa.float64(),
            "new price x chance of sale; null without a model",
            "EUR per visit",
            nullable=True,
        ),
        UNIT_VALUE,
        Column("clamps", CLAMPS, "each guardrail that changed the price, in order; empty when none did", "EUR"),
        Column(
            "clamp_cost",
            pa.float64(),
            "(price - unit value) x chance of sale, unconstrained price less new price; null without a model",
            "EUR per visit",
            nullable=True,
        ),
        Column("binding_rule", TEXT, "last guardrail that changed the price, else the rule that chose it"),
        Column("explored", pa.bool_(), "whether the price was chosen by exploration"),
        POLICY,
        MODEL_VERSION,
        Column("reason", TEXT, "why, in one sentence"),
        Column(
            "sticker_eur",
            pa.float64(),
            "price on the sticker of last-day units, stuck at opening; null without one, and at later changes",
            "EUR",
            nullable=True,
        ),
    ),
)

LIVE_INTERACTIONS = replace(
    INTERACTIONS,
    name="live_interactions",
    grain="one shopper who considered one product on a day that is still being sold; part of interactions",
)

LIVE_REPRICINGS = replace(
    REPRICINGS,
    name="live_repricings",
    grain="one price decision, an opening or a change, of a day that is still being sold; part of repricings",
)

INGESTED_FILES = Table(
    "ingested_files",
    "one file that was ingested whole",
    ("part",),
    (
        Column("part", LONG_TEXT, "name of its partitions in the tables of what was sold, made from its bytes"),
        Column("file", LONG_TEXT, "name of the file, without its folder"),
        Column("sha256", LONG_TEXT, "SHA-256 of its bytes, hexadecimal"),
        Column("rows", pa.int64(), "rows in the file", "rows"),
        Column("valid", pa.int64(), "rows that were used: decisions, or sales that units were summed from", "rows"),
        Column("rejected", pa.int64(), "rows that were rejected", "rows"),
        Column("first_date", pa.date32(), "first business date with a row that was used"),
        Column("last_date", pa.date32(), "last business date with a row that was used"),
        Column("columns", LONG_TEXT, "column mapping, as a JSON object from our names to theirs"),
        Column("reasons", LONG_TEXT, "why rows were rejected, as a JSON object from reason to rows and first line"),
        Column("profile", LONG_TEXT, "what the file says about each product, as a JSON object"),
        Column("grain", LONG_TEXT, "what a row is: visits, receipts or units"),
        Column("summary", LONG_TEXT, "what else happened to its rows, as a JSON object"),
        Column("ingested_at", MOMENT, "when its last partition was published", "UTC"),
    ),
    by="key",
)

REJECTED = Table(
    "rejected",
    "one bad row that was kept out",
    ("source", "row_number", "reason"),
    (
        Column("source", TEXT, "where the row came from"),
        Column("row_number", pa.int64(), "its position in the source, from 1", "number"),
        Column("reason", TEXT, "what is wrong with it"),
        Column("row_text", LONG_TEXT, "the row as it came"),
    ),
)

SUBSTITUTE_CHOICES = Table(
    "substitute_choices",
    "one choice before some shoppers of a partition who found a product too dear or sold out, and what they took",
    ("sku", "others", "prices", "taken"),
    (
        SKU,
        Column("others", pa.list_(pa.string()), "its substitutes that were on the shelf, by stock-keeping unit"),
        Column("prices", pa.list_(pa.float64()), "the prices at which these stood", "EUR"),
        Column("taken", TEXT, "which of them was taken; null where the shopper left", nullable=True),
        Column("count_shoppers", pa.int64(), "shoppers who chose so", "shoppers"),
    ),
    unique_in="partition",
)

DEMAND_CELLS = Table(
    "demand_cells",
    "one demand cell of a partition: a distinct feature vector; decisions at an empty shelf are left out",
    ("sku", "price_offered", "inventory_level"),
    (
        SKU,
        PRICE_OFFERED,
        Column("price_ratio", pa.float64(), "price over base price", "ratio"),
        INVENTORY_LEVEL,
        Column("n_offered", pa.int64(), "decisions in the cell", "decisions"),
        Column("n_purchased", pa.int64(), "purchases in the cell", "decisions"),
    ),
    unique_in="partition",
)

VISIT_COUNTS = Table(
    "visit_counts",
    "one product in one tick at one price of a partition, ours or somebody else's: its visits, also to an empty shelf",
    ("sku", "is_external", "tick", "price_offered"),
    (
        SKU,
        TICK,
        PRICE_OFFERED,
        Column("is_external", pa.bool_(), "whether somebody else set the price"),
        Column("count_visits", pa.int64(), "visits, also to an empty shelf", "visits"),
        Column("count_met", pa.int64(), "visits that found the product on the shelf", "visits"),
        Column("count_bought", pa.int64(), "those of them that bought", "visits"),
    ),
    unique_in="partition",
)

STORE_VISITS = Table(
    "store_visits",
    "one store of a partition to which somebody came",
    ("store_id",),
    (STORE, Column("count_visits", pa.int64(), "visits, also to an empty shelf", "visits")),
    unique_in="partition",
)

CONTEXT_COUNTS = Table(
    "context_counts",
    "one product at one price in one store and hour of a partition, ours or a retailer's: its visits that found stock",
    ("store_id", "hour_utc", "sku", "is_external", "price_offered"),
    (
        STORE,
        Column("hour_utc", pa.int8(), "hour of the day, UTC: 8 is from 08:00 to before 09:00", "hours"),
        SKU,
        PRICE_OFFERED,
        Column("is_external", pa.bool_(), "whether a retailer set the price; an outside store's own ones are left out"),
        Column("count_met", pa.int64(), "visits that found the product on the shelf", "visits"),
        Column("count_bought", pa.int64(), "those of them that bought", "visits"),
    ),
    unique_in="partition",
)
