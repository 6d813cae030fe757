"""What is believed of demand: before a day, and what the day taught."""

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, SKU, TICK, Column, Table

_STATES = pa.list_(
    pa.struct(
        [
            ("weight", pa.float64()),
            ("mean", pa.list_(pa.float64())),
            ("own", pa.list_(pa.float64())),
            ("shared", pa.list_(pa.float64())),
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
            "price_ratios",
            pa.list_(pa.float64()),
            "prices over base price at which demand is described: the knots",
            "ratio",
        ),
        Column("met", pa.list_(pa.float64()), "visits at each knot that found it on the shelf", "visits"),
        Column("bought", pa.list_(pa.float64()), "those of them that bought", "visits"),
        Column(
            "states",
            _STATES,
            "demands that may hold, the likeliest first: how likely each is, and of the log odds at the knots, hours "
            "apart, the mean, the lower triangle of the product's own covariance row by row, and what one unit of each "
            "direction that the shelf shares adds, knot by knot",
            "log odds",
        ),
        Column("hours", pa.list_(pa.float64()), "what each hour from opening on adds to the log odds", "log odds"),
        Column(
            "kinds",
            pa.list_(
                pa.struct([("stores", pa.list_(pa.string())), ("states", _STATES), ("hours", pa.list_(pa.float64()))])
            ),
            "stores whose shoppers are of another kind than others', with demands and hours of their own; states and "
            "hours beside are of all stores together; empty while all are alike",
            "log odds",
        ),
        Column("own_spread", pa.float64(), "how far products may differ from the shelf, as a factor", "factor"),
        Column("bend_spread", pa.float64(), "how far demand may bend away from a line, as a factor", "factor"),
        Column(
            "drift_spread",
            pa.float64(),
            "standard deviation of how the hours of a day differ from the usual ones, once one was seen",
            "log odds",
        ),
        Column(
            "switch_level",
            pa.float64(),
            "logarithm of the weight of a substitute at its base price, against 1 for leaving; null where nobody is "
            "known to take one",
            "log weight",
            nullable=True,
        ),
        Column(
            "switch_slope",
            pa.float64(),
            "how much that logarithm falls with a price ratio higher by 1; null as above",
            "log weight per price ratio",
            nullable=True,
        ),
        Column("visits_per_day", pa.float64(), "visits expected on a store day", "visits"),
        Column("profile", pa.list_(pa.float64()), "share of a day's visits in each tick", "share"),
        Column("store_days", pa.float64(), "store days whose visits were counted", "store days"),
        Column("day_spread", pa.float64(), "standard deviation of a day's visits around what is usual", "share"),
        Column("model_version", LONG_TEXT, "registered version of the champion; null without one", nullable=True),
    ),
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
