"""What is believed of shoppers: before a day, from the log; and during it, corrected by the day's own sales."""

from dataclasses import replace

import pyarrow as pa

from catalog.table import LONG_TEXT, Column, Table
from catalog.tables.columns import SKU, TICK

_STAGES = pa.list_(
    pa.struct(
        [
            ("begins", pa.string()),
            ("told_by", pa.string()),
            ("met", pa.list_(pa.float64())),
            ("bought", pa.list_(pa.float64())),
        ]
    )
)

BELIEFS = Table(
    "beliefs",
    "one product, as it is believed before a business date",
    ("sku",),
    (
        SKU,
        Column("base_price", pa.float64(), "its base price then", "EUR"),
        Column(
            "price_ratios", pa.list_(pa.float64()), "prices over base price at which demand is described: the knots"
        ),
        Column(
            "stages",
            _STAGES,
            "what was sold, in days of one demand: what they began with (prior, change, or since the days before), and "
            "at each knot the visits that found stock and those that bought, as sales or the champion tell them",
        ),
        Column("own_spread", pa.float64(), "how far products may differ from the shelf, as a factor"),
        Column("bend_spread", pa.float64(), "how far demand may bend away from a line, as a factor"),
        Column("visits_per_day", pa.float64(), "visits expected on a store day", "visits"),
        Column("profile", pa.list_(pa.float64()), "share of a day's visits in each tick"),
        Column("store_days", pa.float64(), "store days whose visits were counted", "store days"),
        Column("day_spread", pa.float64(), "standard deviation of a day's visits around what is usual", "share"),
        Column("model_version", LONG_TEXT, "registered version of the champion; null without one", nullable=True),
    ),
)

REPLACED_BELIEFS = replace(
    BELIEFS,
    name="replaced_beliefs",
    grain="one product, as it was believed behind a book that another took the place of",
    unique_in="partition",
)

BELIEF_UPDATES = Table(
    "belief_updates",
    "one product of a batch after some ticks: what the day's own sales made of the belief, and so of the prices left",
    ("tick", "sku"),
    (
        TICK,
        SKU,
        Column("count_met", pa.int64(), "visits of the day so far that found it on the shelf, all stores", "visits"),
        Column("count_bought", pa.int64(), "those of them that bought", "visits"),
        Column("p_base", pa.float64(), "chance of sale at the base price", "probability"),
        Column("p_base_low", pa.float64(), "lower end of it, 95 %", "probability"),
        Column("p_base_high", pa.float64(), "upper end of it, 95 %", "probability"),
        Column("visits_left", pa.float64(), "visits expected of one store until closing", "visits"),
        Column("p_changed", pa.float64(), "probability that demand is another one than before the day", "probability"),
    ),
    unique_in="partition",
)
