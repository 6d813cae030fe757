"""Every table that crosses a folder: its grain, its columns, their types, units and nullability.

Publishing enforces what stands here, the data dictionary is written from it, and nothing else defines a table.
Tables by day keep their `business_date` in the folder name, not in the file.
"""

import re
from dataclasses import replace

import pyarrow as pa

from catalog.table import CLAMPS, LONG_TEXT, MOMENT, TEXT, Column, Table

_STORE = Column("store_id", TEXT, "the store")
_SKU = Column("sku", TEXT, "stock-keeping unit of the product")
_TICK = Column("tick", pa.int16(), "interval of the day in which a price stands", "ticks since opening")
_POLICY = Column("policy", TEXT, "name of the policy that set the price")
_VERSION = Column(
    "model_version", TEXT, "registered model version behind the price; null without a model", nullable=True
)
_P_SALE = Column("p_sale", pa.float64(), "chance that a shopper who considers the product buys it", "probability")
_EXPECTED = Column("expected_revenue", pa.float64(), "price x chance of sale", "EUR per visit")
_PRICE = Column("price", pa.float64(), "price to show", "EUR")
_UNIT_VALUE = Column(
    "unit_value",
    pa.float64(),
    "what one more unit kept is worth; null where the policy does not value stock",
    "EUR",
    nullable=True,
)

INTERACTIONS = Table(
    "interactions",
    "one shopper who considered one product",
    ("store_id", "seen_at", "shopper_id", "sku"),
    (
        _STORE,
        _TICK,
        Column("seen_at", MOMENT, "when the shopper looked", "UTC"),
        Column("shopper_id", pa.int32(), "who looked; the name is in shoppers"),
        _SKU,
        Column("product_name", TEXT, "the product's name that day"),
        Column("price_offered", pa.float64(), "the price on the shelf", "EUR"),
        Column(
            "inventory_level",
            pa.int32(),
            "stock before the decision; null when unknown",
            "units",
            nullable=True,
        ),
        Column(
            "budget_multiplier",
            pa.float32(),
            "hidden willingness to pay over base price; never a feature",
            "ratio",
            nullable=True,
        ),
        Column("purchased", pa.bool_(), "whether one unit was bought"),
        Column("outcome", TEXT, "bought, too_expensive or out_of_stock"),
        _POLICY,
        Column("propensity", pa.float64(), "chance with which the policy showed this price", "probability"),
        _VERSION,
    ),
)

REPRICINGS = Table(
    "repricings",
    "one price decision: an opening or a change",
    ("store_id", "tick", "sku"),
    (
        _STORE,
        _TICK,
        Column("decided_at", MOMENT, "when the price was set", "UTC"),
        _SKU,
        Column("old_price", pa.float64(), "the price before; null at opening", "EUR", nullable=True),
        Column("new_price", pa.float64(), "the price from now on", "EUR"),
        Column(
            "unconstrained_price",
            pa.float64(),
            "what was asked for before any limit; null when that was no price",
            "EUR",
            nullable=True,
        ),
        Column("inventory_level", pa.int32(), "stock when it was decided", "units"),
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
        _UNIT_VALUE,
        Column("clamps", CLAMPS, "each limit that changed the price, in order; empty when none did", "EUR"),
        Column(
            "clamp_cost",
            pa.float64(),
            "(price - unit value) x chance of sale at the unconstrained price, less at the shown; null without a model",
            "EUR per visit",
            nullable=True,
        ),
        Column("binding_rule", TEXT, "the last limit that changed the price, else the rule that asked for it"),
        Column("explored", pa.bool_(), "whether the price was tried in order to learn"),
        _POLICY,
        _VERSION,
        Column("reason", TEXT, "one sentence for people"),
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

REJECTED = Table(
    "rejected",
    "one bad row that was kept out",
    ("source", "row_number", "reason"),
    (
        Column("source", TEXT, "where the row came from"),
        Column("row_number", pa.int64(), "its position there, from 1"),
        Column("reason", TEXT, "what is wrong with it"),
        Column("row_text", LONG_TEXT, "the row as it came"),
    ),
)

DEMAND_CELLS = Table(
    "demand_cells",
    "one distinct feature vector of a day's part; decisions met with an empty shelf are left out",
    ("sku", "price_offered", "inventory_level"),
    (
        _SKU,
        Column("price_offered", pa.float64(), "the price on the shelf", "EUR"),
        Column("price_ratio", pa.float64(), "price over base price", "ratio"),
        Column(
            "inventory_level",
            pa.int32(),
            "stock before the decision; null when unknown",
            "units",
            nullable=True,
        ),
        Column("n_offered", pa.int64(), "decisions in the cell", "decisions"),
        Column("n_purchased", pa.int64(), "of them, purchases", "decisions"),
    ),
)

PRICE_BOOK = Table(
    "price_book",
    "one product at one stock level with one number of ticks left",
    ("sku", "inventory_level", "ticks_left"),
    (
        _SKU,
        Column("inventory_level", pa.int32(), "stock now", "units"),
        Column("ticks_left", pa.int16(), "ticks until closing, this one included", "ticks"),
        Column("price", pa.float64(), "price under the static limits, which look at no price shown before", "EUR"),
        _P_SALE,
        _EXPECTED,
        _UNIT_VALUE,
        Column("unconstrained_price", pa.float64(), "the policy's price before any limit", "EUR"),
        Column("binding_rule", TEXT, "the last limit that changed the price, else the policy's rule"),
        _POLICY,
        Column("model_version", TEXT, "registered model version behind the price"),
        Column("published_at", MOMENT, "start of the business date the book is made for", "UTC"),
    ),
)

DEMAND_CURVES = Table(
    "demand_curves",
    "one candidate price of one product, as the champion sees it",
    ("sku", "candidate"),
    (
        _SKU,
        Column("candidate", pa.int16(), "position on the price ladder, from 0"),
        _PRICE,
        _P_SALE,
        _EXPECTED,
        Column("supported", pa.bool_(), "whether the price lies within the prices observed; policies choose no other"),
        Column("model_version", TEXT, "registered model version behind the curve"),
    ),
)

MODEL_VERSIONS = Table(
    "model_versions",
    "one judged model version",
    ("version",),
    (
        Column("version", LONG_TEXT, "version in the model registry"),
        Column("candidate", LONG_TEXT, "name of the model family"),
        Column("run_id", LONG_TEXT, "MLflow run that holds parameters, plots and the model"),
        Column("training_run_id", LONG_TEXT, "MLflow run of the training it came from, which holds the report"),
        Column("trained_through", pa.date32(), "last business date it was fitted on"),
        Column("judged_through", pa.date32(), "last business date it was judged on"),
        Column("metrics", LONG_TEXT, "judged metrics, as a JSON object"),
        Column("candidates", LONG_TEXT, "metrics of every candidate of the training, as a JSON object"),
        Column("promoted", pa.bool_(), "whether the gate made it champion"),
        Column("reasons", LONG_TEXT, "the gate's conditions and what was found, as a JSON list"),
        Column(
            "money",
            LONG_TEXT,
            "estimated gain of its prices over the champion's, or the base prices without one, as a JSON object; "
            "null without an estimate",
            "EUR per store day",
            nullable=True,
        ),
        Column("decided_at", MOMENT, "when the gate decided", "UTC"),
    ),
    by="key",
)

_SCENARIO = Column("scenario", LONG_TEXT, "the world that policies were compared in")
_COMPARED = Column("policy", LONG_TEXT, "name of the policy; clairvoyant is the limit")
_DECISIONS = Column("decisions", pa.int64(), "logged decisions that it learned from, all products together")
_SEED = Column("seed", pa.int64(), "seed of the log and of the shoppers")
_SHARE = Column("share_of_clairvoyant", pa.float64(), "what it earned over what the clairvoyant did", "share")
_COMPARED_AT = Column("compared_at", MOMENT, "when the comparison was made", "UTC")

POLICY_RESULTS = Table(
    "policy_results",
    "one policy in one scenario with one seed, played on the same shoppers as the others",
    ("scenario", "policy", "decisions", "seed"),
    (
        _SCENARIO,
        _COMPARED,
        _DECISIONS,
        _SEED,
        Column("store_days", pa.int64(), "store days that were played", "store days"),
        Column("revenue", pa.float64(), "revenue of all of them", "EUR"),
        _SHARE,
        Column("units", pa.int64(), "units sold", "units"),
        Column("sell_outs", pa.int64(), "products that sold out, summed over store days", "product days"),
        Column("lost_sales", pa.int64(), "visits that met an empty shelf", "visits"),
        Column("mean_price", pa.float64(), "mean price that visits saw", "EUR"),
        Column("repricings_per_day", pa.float64(), "changes of price in a store day, openings left out"),
        _COMPARED_AT,
    ),
    by="key",
)

LEARNING_RESULTS = Table(
    "learning_results",
    "one policy in one scenario after learning from one log, scored exactly under true demand",
    ("scenario", "policy", "decisions", "seed"),
    (_SCENARIO, _COMPARED, _DECISIONS, _SEED, _SHARE, _COMPARED_AT),
    by="key",
)

PRODUCTS = Table(
    "products",
    "one product on the shelf",
    ("sku",),
    (
        Column("sku", LONG_TEXT, "stock-keeping unit of the product"),
        Column("product_name", LONG_TEXT, "name for people"),
        Column("category", LONG_TEXT, "group of products"),
        Column("icon", LONG_TEXT, "one character that stands for it"),
        Column("base_price", pa.float64(), "usual price", "EUR"),
        Column("unit_cost", pa.float64(), "cost of one unit", "EUR"),
        Column("floor_price", pa.float64(), "lowest price that may be shown", "EUR"),
        Column("ceiling_price", pa.float64(), "highest price that may be shown", "EUR"),
        Column("par_stock", pa.int32(), "stock after restocking", "units"),
    ),
    by="key",
)

SHOPPERS = Table(
    "shoppers",
    "one shopper of the pool",
    ("shopper_id",),
    (
        Column("shopper_id", pa.int32(), "number in the pool"),
        Column("shopper_name", LONG_TEXT, "invented name"),
    ),
    by="key",
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        INTERACTIONS,
        REPRICINGS,
        LIVE_INTERACTIONS,
        LIVE_REPRICINGS,
        REJECTED,
        DEMAND_CELLS,
        PRICE_BOOK,
        DEMAND_CURVES,
        MODEL_VERSIONS,
        POLICY_RESULTS,
        LEARNING_RESULTS,
        PRODUCTS,
        SHOPPERS,
    )
}

GROUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What a partition may be called; anything else could leave the lake's folder."""
