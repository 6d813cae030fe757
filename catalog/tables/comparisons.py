"""Results of comparing policies with the clairvoyant."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, Column, Table

_SCENARIO = Column("scenario", LONG_TEXT, "world in which the policies were compared")
_COMPARED = Column("policy", LONG_TEXT, "name of the policy; clairvoyant is the upper limit")
_DECISIONS = Column("decisions", pa.int64(), "logged decisions it was trained on, all products together")
_SEED = Column("seed", pa.int64(), "seed of the log and of the shoppers")
_SHARE = Column("share_of_clairvoyant", pa.float64(), "its earnings over those of the clairvoyant", "share")
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
        Column("revenue", pa.float64(), "revenue of all store days", "EUR"),
        _SHARE,
        Column("units", pa.int64(), "units sold", "units"),
        Column("sell_outs", pa.int64(), "products that sold out, summed over store days", "product days"),
        Column("lost_sales", pa.int64(), "visits to an empty shelf", "visits"),
        Column("mean_price", pa.float64(), "mean price that visits saw", "EUR"),
        Column("repricings_per_day", pa.float64(), "price changes per store day, without openings"),
        _COMPARED_AT,
    ),
    by="key",
    unique_in="partition",
)

LEARNING_RESULTS = Table(
    "learning_results",
    "one policy in one scenario after learning from one log, scored exactly under true demand",
    ("scenario", "policy", "decisions", "seed"),
    (_SCENARIO, _COMPARED, _DECISIONS, _SEED, _SHARE, _COMPARED_AT),
    by="key",
    unique_in="partition",
)
