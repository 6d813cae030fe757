"""The shelf, its prices worked out ahead with the demand curves they stand on, and what was in force on each day.

Replay rebuilds any day from what was in force: champions, catalogs, and what priced the day.
"""

from dataclasses import replace

import pyarrow as pa

from catalog.table import (
    EXPECTED_REVENUE,
    LONG_TEXT,
    MOMENT,
    P_SALE,
    POLICY,
    PRICE,
    SKU,
    TEXT,
    UNIT_VALUE,
    Column,
    Table,
)

CHAMPIONS = Table(
    "champions",
    "one change of champion; numbers count up, and the newest one says who the champion is",
    ("change",),
    (
        Column("change", pa.int64(), "number of the change, from 1", "number"),
        Column("version", LONG_TEXT, "registered model version that is champion from now on"),
        Column("previous", LONG_TEXT, "the champion before; null when there was none", nullable=True),
        Column(
            "action",
            LONG_TEXT,
            "promoted_by_gate, promoted_by_hand, rolled_back, or found: the registry had it without a record here",
        ),
        Column("decided_by", LONG_TEXT, "who decided: the gate, or the name of a person"),
        Column(
            "decided_at", MOMENT, "when it was decided: by the clock for people, by business date for the gate", "UTC"
        ),
        Column("reason", LONG_TEXT, "why, in a sentence"),
        Column("prices_from", pa.date32(), "first business date that it prices"),
    ),
    by="key",
)

CATALOGS = Table(
    "catalogs",
    "one catalog that was in force at some time; the key is the start of its fingerprint",
    ("fingerprint",),
    (
        Column("fingerprint", LONG_TEXT, "SHA-256 over every value of the catalog but its alerts"),
        Column("products", LONG_TEXT, "its products, one JSON object a line"),
        Column("store", LONG_TEXT, "its stores and how they price, as a JSON object"),
    ),
    by="key",
)

DAYS_IN_FORCE = Table(
    "days_in_force",
    "what priced one batch from one tick on: one row, or one for each stretch of a live day whose prices changed",
    ("batch", "since"),
    (
        Column("batch", LONG_TEXT, "name of the batch; its partition in interactions has the same name"),
        Column("since", pa.int16(), "first tick with these prices", "ticks since opening"),
        Column("stores", LONG_TEXT, "ids of the stores, as a JSON list"),
        Column("seed", pa.int64(), "seed of the world", "number"),
        Column("catalog", LONG_TEXT, "fingerprint of the catalog in force"),
        Column("policy", LONG_TEXT, "name of the policy that set the prices"),
        Column("model_version", LONG_TEXT, "registered model version behind the price; null without", nullable=True),
        Column(
            "book_made_for",
            pa.date32(),
            "business date the price book was made for; null without a book",
            nullable=True,
        ),
        Column("book_sha256", LONG_TEXT, "SHA-256 of the price book; null without one", nullable=True),
        Column(
            "orders_sha256",
            LONG_TEXT,
            "fingerprint of what people ordered for the date, which the price changes tell; null where nothing bound",
            nullable=True,
        ),
        Column(
            "orders_at_once",
            LONG_TEXT,
            "price changes that bound a store although they counted from a later moment, as JSON by store; else null",
            nullable=True,
        ),
        Column(
            "first_cells_sha256",
            LONG_TEXT,
            "SHA-256 of the demand cells under the day's own catalog, once another one has regrouped them; else null",
            nullable=True,
        ),
        Column("code_version", LONG_TEXT, "version of the project that played the day"),
    ),
)


PRODUCTS = Table(
    "products",
    "one product on the shelf",
    ("sku",),
    (
        Column("sku", LONG_TEXT, "stock-keeping unit of the product"),
        Column("product_name", LONG_TEXT, "name for people"),
        Column("category", LONG_TEXT, "group of products"),
        Column("icon", LONG_TEXT, "one character that the monitor shows for it"),
        Column("base_price", pa.float64(), "usual price", "EUR"),
        Column("unit_cost", pa.float64(), "cost of one unit", "EUR"),
        Column("floor_price", pa.float64(), "lowest price that may be shown", "EUR"),
        Column("ceiling_price", pa.float64(), "highest price that may be shown", "EUR"),
        Column("par_stock", pa.int32(), "stock after restocking", "units"),
        Column(
            "currency",
            LONG_TEXT,
            "currency of every amount of the shelf, ISO 4217, in columns that say EUR, too; null in rows of earlier "
            "versions: EUR",
            nullable=True,
        ),
    ),
    by="key",
)

SHOPPERS = Table(
    "shoppers",
    "one shopper of the pool",
    ("shopper_id",),
    (
        Column("shopper_id", pa.int32(), "number in the pool", "number"),
        Column("shopper_name", LONG_TEXT, "invented name"),
    ),
    by="key",
)

STORES = Table(
    "stores",
    "one store whose time is kept; there is none while all stores keep UTC",
    ("store_id",),
    (
        Column("store_id", LONG_TEXT, "the store"),
        Column("time_zone", LONG_TEXT, "its time zone, an IANA name: opening hours and business dates are local"),
    ),
    by="key",
)


PRICE_BOOK = Table(
    "price_book",
    "one product at one stock level with one number of ticks left",
    ("sku", "inventory_level", "ticks_left"),
    (
        SKU,
        Column("inventory_level", pa.int32(), "stock now", "units"),
        Column("ticks_left", pa.int16(), "ticks until closing, this one included", "ticks"),
        Column("price", pa.float64(), "price under the static limits, which look at no price shown before", "EUR"),
        P_SALE,
        EXPECTED_REVENUE,
        replace(UNIT_VALUE, meaning=f"{UNIT_VALUE.meaning}; where margin or profit is maximised, beyond its cost"),
        Column("unconstrained_price", pa.float64(), "the policy's price before any limit", "EUR"),
        Column("binding_rule", TEXT, "the last limit that changed the price, else the policy's rule"),
        Column(
            "policy_rule",
            TEXT,
            "the policy's rule behind its price before any limit; null in books older than this column",
            nullable=True,
        ),
        Column(
            "unconstrained_p_sale",
            pa.float64(),
            "chance of sale at the policy's price before any limit; null where it is `p_sale`, for no limit binds",
            "probability",
            nullable=True,
        ),
        POLICY,
        Column("model_version", TEXT, "registered model version behind the price; none without a champion"),
        Column("published_at", MOMENT, "start of the business date the book was worked out for", "UTC"),
    ),
)

PRICE_STEPS = Table(
    "price_steps",
    "one price of one product, and the stock from which on it is shown with each number of ticks left",
    ("sku", "step"),
    (
        SKU,
        Column("step", pa.int32(), "position among the steps of the product, from 0", "number"),
        PRICE_BOOK.column("price"),
        PRICE_BOOK.column("unconstrained_price"),
        PRICE_BOOK.column("binding_rule"),
        replace(PRICE_BOOK.column("policy_rule"), meaning="the policy's rule behind its price", nullable=False),
        Column("ticks_from", pa.int16(), "fewest ticks until closing with which the step is there", "ticks"),
        Column(
            "stock_from",
            pa.list_(pa.int16()),
            "the least stock at which it is shown, for `ticks_from` ticks left and for each more; up to the next step",
            "units",
        ),
        Column(
            "unit_value",
            pa.list_(pa.int16()),
            "value of one more unit kept at that stock, in `value_unit`; on a straight line up to the next step, "
            "within one percent of the product's highest price; null where the policy does not value stock",
            "number",
        ),
        Column("value_unit", pa.float64(), "what `unit_value` counts", "EUR"),
        Column("p_sale", pa.list_(pa.float64()), f"{P_SALE.meaning}: one, or one for each of the ticks", "probability"),
        Column(
            "unconstrained_p_sale",
            pa.list_(pa.float64()),
            "the same at the policy's price before any limit; null where it is `p_sale`",
            "probability",
        ),
        Column("par_stock", pa.int32(), "most units of the product; more have the price of so many", "units"),
        POLICY,
        PRICE_BOOK.column("model_version"),
        PRICE_BOOK.column("published_at"),
        Column("made_from", TEXT, "fingerprint of what the book was made from, as in its receipt"),
    ),
)

DEMAND_CURVES = Table(
    "demand_curves",
    "one candidate price of one product, as it is believed before the day",
    ("sku", "candidate"),
    (
        SKU,
        Column("candidate", pa.int16(), "position on the price ladder, from 0", "number"),
        PRICE,
        P_SALE,
        EXPECTED_REVENUE,
        Column(
            "p_sale_low",
            pa.float64(),
            "lower end of the chance of sale, 95 %; null in older curves",
            "probability",
            nullable=True,
        ),
        Column(
            "p_sale_high",
            pa.float64(),
            "upper end of the chance of sale, 95 %; null in older curves",
            "probability",
            nullable=True,
        ),
        Column(
            "kept_price",
            pa.float64(),
            "price that some stores kept, in curves of earlier versions; null since then",
            "EUR",
            nullable=True,
        ),
        Column("supported", pa.bool_(), "whether the price lies within the prices observed; policies choose no other"),
        Column("model_version", TEXT, "registered model version behind the curve; none without a champion"),
    ),
)

REPLACED_PRICE_BOOK = replace(
    PRICE_BOOK,
    name="replaced_price_book",
    grain="one product at one stock level with one number of ticks left, of a book that another took the place of",
    unique_in="partition",
)

REPLACED_PRICE_STEPS = replace(
    PRICE_STEPS,
    name="replaced_price_steps",
    grain="one price of one product and the stock from which on it is shown, of a book that another took the place of",
    unique_in="partition",
)

REPLACED_DEMAND_CURVES = replace(
    DEMAND_CURVES,
    name="replaced_demand_curves",
    grain="one candidate price of one product, of curves that others took the place of",
    unique_in="partition",
)

HOURLY_PRICE_BOOK = replace(
    PRICE_BOOK,
    name="hourly_price_book",
    grain="one product at one stock level with one number of ticks left, remade for a store in the middle of its day",
    unique_in="partition",
)

HOURLY_PRICE_STEPS = replace(
    PRICE_STEPS,
    name="hourly_price_steps",
    grain="one price of one product and the stock from which on it is shown, remade for a store in its day",
    unique_in="partition",
)

HOURLY_DEMAND_CURVES = replace(
    DEMAND_CURVES,
    name="hourly_demand_curves",
    grain="one candidate price of one product, as it is believed in the middle of a store's day",
    unique_in="partition",
)
