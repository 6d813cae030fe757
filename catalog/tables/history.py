"""What was in force and since when: champions, catalogs, and what priced each day. Replay rebuilds any day from it."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, Column, Table

CHAMPIONS = Table(
    "champions",
    "one change of champion; numbers count up, and the newest one says who the champion is",
    ("change",),
    (
        Column("change", pa.int64(), "number of the change, from 1"),
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
        Column("seed", pa.int64(), "seed of the world"),
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
