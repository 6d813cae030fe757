"""What was learned: model versions and the gate's decisions, beliefs before and during a day, drift, and nights."""

from dataclasses import replace

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, SKU, TICK, Column, Table

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
        Column(
            "stages",
            _STAGES,
            "what was sold, in days of one demand, in rows of earlier versions; null since",
            "visits",
            nullable=True,
        ),
        Column(
            "met", pa.list_(pa.float64()), "visits at each knot that found it on the shelf", "visits", nullable=True
        ),
        Column("bought", pa.list_(pa.float64()), "those of them that bought", "visits", nullable=True),
        Column(
            "states",
            _STATES,
            "demands that may hold, the likeliest first: how likely each is, and of the log odds at the knots, hours "
            "apart, the mean, the lower triangle of the product's own covariance row by row, and what one unit of each "
            "direction that the shelf shares adds, knot by knot; null in rows of earlier versions",
            "log odds",
            nullable=True,
        ),
        Column(
            "hours",
            pa.list_(pa.float64()),
            "what each hour from opening on adds to the log odds; null in rows of earlier versions",
            "log odds",
            nullable=True,
        ),
        Column(
            "kinds",
            pa.list_(
                pa.struct([("stores", pa.list_(pa.string())), ("states", _STATES), ("hours", pa.list_(pa.float64()))])
            ),
            "stores whose shoppers are of another kind than others', with demands and hours of their own; states and "
            "hours beside are of all stores together; empty while all are alike, null in rows of earlier versions",
            "log odds",
            nullable=True,
        ),
        Column("own_spread", pa.float64(), "how far products may differ from the shelf, as a factor", "factor"),
        Column("bend_spread", pa.float64(), "how far demand may bend away from a line, as a factor", "factor"),
        Column(
            "drift_spread",
            pa.float64(),
            "standard deviation of how the hours of a day differ from the usual ones, once one was seen; null in rows "
            "of earlier versions",
            "log odds",
            nullable=True,
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


DRIFT_CHECKS = Table(
    "drift_checks",
    "one product on one day since the training of one model version, seen as its champion",
    ("model_version", "sku"),
    (
        SKU,
        Column("model_version", LONG_TEXT, "registered version that was champion when the day was checked"),
        Column("decisions", pa.int64(), "decisions of shoppers while the product was in stock", "decisions"),
        Column(
            "mean_residual", pa.float64(), "share that bought, less the champion's mean chance of sale", "probability"
        ),
        Column(
            "standard_error",
            pa.float64(),
            "standard error of the mean residual if the champion is right",
            "probability",
        ),
        Column("detected", pa.bool_(), "whether drift was detected on this day"),
        Column("since", pa.date32(), "first date of the changed demand; null without drift", nullable=True),
        Column(
            "direction",
            LONG_TEXT,
            "more or less: how much is bought at the same prices; null without drift",
            nullable=True,
        ),
        Column(
            "residual_before",
            pa.float64(),
            "mean residual before the change; null without drift",
            "probability",
            nullable=True,
        ),
        Column(
            "residual_after",
            pa.float64(),
            "mean residual since the change; null without drift",
            "probability",
            nullable=True,
        ),
    ),
)

DRIFT_RESULTS = Table(
    "drift_results",
    "one rule's score for one change of a scripted world with one seed",
    ("scenario", "rule", "seed", "change"),
    (
        Column("scenario", LONG_TEXT, "the scripted world"),
        Column(
            "rule",
            LONG_TEXT,
            "what raises the alarm: residuals, or none (never trains again)",
        ),
        Column("seed", pa.int64(), "seed of the shoppers and of the forests", "number"),
        Column(
            "change", pa.int64(), "number of the change in the world, from 1; 0 is the time before the first", "number"
        ),
        Column("days", pa.int64(), "priced days from the change until the next one or the end", "days"),
        Column(
            "false_alarms",
            pa.int64(),
            "days with an alarm before the first change, or after recovery from this one",
            "days",
        ),
        Column(
            "detected_after_days",
            pa.int64(),
            "days sold after the change when the alarm came, 1 for the evening of the first day; null without an alarm",
            "days",
            nullable=True,
        ),
        Column("decisions", pa.int64(), "decisions on those days; null without an alarm", "decisions", nullable=True),
        Column(
            "recovered_after_days",
            pa.int64(),
            "days sold before prices were good again and stayed so; null where they never were",
            "days",
            nullable=True,
        ),
        Column("lost_eur", pa.float64(), "how much more the clairvoyant earned on those days, all stores", "EUR"),
        Column("played_at", MOMENT, "when the scorecard was made", "UTC"),
    ),
    by="key",
    unique_in="partition",
)


NIGHTS = Table(
    "nights",
    "the night after one business date, once it is done",
    ("prices_for",),
    (
        Column("prices_for", pa.date32(), "business date that was priced: the day after that night"),
        Column("outcome", LONG_TEXT, "priced, or base prices stay"),
        Column("judged_version", LONG_TEXT, "model version that was judged; null when none was due", nullable=True),
        Column("promoted", pa.bool_(), "whether the gate made that version champion"),
        Column(
            "priced_by",
            LONG_TEXT,
            "model version behind the prices of that date; null without a champion",
            nullable=True,
        ),
        Column(
            "said",
            LONG_TEXT,
            "what the challenger is expected to earn, how sure that is, and what happens next; null without one",
            nullable=True,
        ),
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
        Column("training_run_id", LONG_TEXT, "MLflow run of its training, which holds the report"),
        Column(
            "trained_since",
            pa.date32(),
            "first business date whose decisions count in full, earlier ones for their shape; null when not recorded",
            nullable=True,
        ),
        Column("trained_through", pa.date32(), "last business date it was trained on"),
        Column("judged_through", pa.date32(), "last business date it was judged on"),
        Column("metrics", LONG_TEXT, "judged metrics, as a JSON object"),
        Column("candidates", LONG_TEXT, "metrics of every candidate of the training, as a JSON object"),
        Column("promoted", pa.bool_(), "whether the gate made it champion"),
        Column("reasons", LONG_TEXT, "the gate's conditions, each with its finding, as a JSON list"),
        Column(
            "money",
            LONG_TEXT,
            "estimated gain of its prices over the champion's, or the base prices without one, as a JSON object; "
            "null without an estimate",
            "EUR per store day",
            nullable=True,
        ),
        Column(
            "price_response",
            LONG_TEXT,
            "how exported sales of the days trained on answer to prices, by product, as a JSON list; null where no "
            "held-out decision was exported",
            nullable=True,
        ),
        Column(
            "context",
            LONG_TEXT,
            "what weekday, hour, store and events tell beyond prices, and how demand depends on them, as a JSON "
            "object; null where no candidate looked at them",
            nullable=True,
        ),
        Column(
            "model_sha256",
            LONG_TEXT,
            "SHA-256 of the registered model, to which it is held whenever it is loaded; null when not recorded",
            nullable=True,
        ),
        Column(
            "said",
            LONG_TEXT,
            "what it is expected to earn, how sure that is, and what happens next; null when not recorded",
            nullable=True,
        ),
        Column("decided_at", MOMENT, "when the gate decided", "UTC"),
    ),
    by="key",
)
