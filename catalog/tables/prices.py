"""The shelf, its prices worked out ahead with the demand curves they stand on, and what was in force on each day.

Replay rebuilds any day from what was in force: champions, catalogs, and what priced the day.
"""

import pyarrow as pa

from catalog.tables.table import (
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
        Column("currency", LONG_TEXT, "currency of every amount of the shelf, ISO 4217, in columns that say EUR, too"),
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


_BY_STOCK = pa.list_(pa.float64())

BOOKED_PRICES = Table(
    "booked_prices",
    "one product with one number of ticks left in a price book: lists hold a value for each stock, 0 units first",
    ("sku", "ticks_left"),
    (
        SKU,
        Column("ticks_left", pa.int16(), "ticks until closing, this one included", "ticks"),
        Column("price", _BY_STOCK, "price under the static limits, which look at no price shown before", "EUR"),
        Column("unconstrained_price", _BY_STOCK, "the policy's price before any limit", "EUR"),
        Column("p_sale", _BY_STOCK, P_SALE.meaning, "probability"),
        Column("unconstrained_p_sale", _BY_STOCK, "the same at the policy's price before any limit", "probability"),
        Column(
            "unit_value",
            _BY_STOCK,
            f"{UNIT_VALUE.meaning}; where margin or profit is maximised, beyond its cost",
            "EUR",
        ),
        Column("binding_rule", pa.list_(pa.string()), "the last limit that changed the price, else the policy's rule"),
        Column("policy_rule", pa.list_(pa.string()), "the policy's rule behind its price before any limit"),
        POLICY,
        Column("model_version", TEXT, "registered model version behind the price; none without a champion"),
        Column("published_at", MOMENT, "start of the business date the book was worked out for", "UTC"),
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
            "lower end of the chance of sale, 95 %; null without a belief",
            "probability",
            nullable=True,
        ),
        Column(
            "p_sale_high",
            pa.float64(),
            "upper end of the chance of sale, 95 %; null without a belief",
            "probability",
            nullable=True,
        ),
        Column("supported", pa.bool_(), "whether the price lies within the prices observed; policies choose no other"),
        Column("model_version", TEXT, "registered model version behind the curve; none without a champion"),
    ),
)
