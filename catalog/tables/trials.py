"""Trials of two policies that took turns in the stores, and what each block of them brought."""

import pyarrow as pa

from catalog.table import LONG_TEXT, MOMENT, Column, Table
from catalog.tables.columns import STORE

_TRIAL = Column("trial", LONG_TEXT, "name of the trial: the start of its fingerprint")

TRIALS = Table(
    "trials",
    "one trial of two policies that took turns in the stores",
    ("trial",),
    (
        _TRIAL,
        Column("a", LONG_TEXT, "name of policy A"),
        Column("b", LONG_TEXT, "name of policy B"),
        Column("unit", LONG_TEXT, "what took turns: day, or hours"),
        Column("block_ticks", pa.int64(), "length of a block", "ticks"),
        Column("washout_ticks", pa.int64(), "start of a block after a switch that does not count", "ticks"),
        Column("start_date", pa.date32(), "first business date"),
        Column("days", pa.int64(), "business dates", "days"),
        Column("count_stores", pa.int64(), "stores", "stores"),
        Column("count_pairs", pa.int64(), "pairs of store days, each a small experiment of its own", "pairs"),
        Column("seed", pa.int64(), "seed of the coins, and of the shoppers"),
        Column("catalog", LONG_TEXT, "fingerprint of the catalog in force"),
        Column("objective", LONG_TEXT, "what is counted: revenue, or margin"),
        Column(
            "variation", pa.float64(), "planned standard deviation of a store day's earnings over their mean", "share"
        ),
        Column("variation_source", LONG_TEXT, "where the plan has it from"),
        Column("detectable", pa.float64(), "planned smallest difference with 80 % power, of a day's earnings", "share"),
        Column(
            "days_for_three_percent",
            pa.int64(),
            "days after which 3 % would be detected with 80 % power; null when ten years do not suffice",
            "days",
            nullable=True,
        ),
        Column("a_eur", pa.float64(), "what a store day of A earned", "EUR"),
        Column("effect_eur", pa.float64(), "B minus A per store day", "EUR"),
        Column("low_eur", pa.float64(), "lower end of its 95 % interval", "EUR"),
        Column("high_eur", pa.float64(), "upper end of its 95 % interval", "EUR"),
        Column("p_value", pa.float64(), "two-sided, of no difference", "probability"),
        Column("verdict", LONG_TEXT, "a or b, whichever earns more, or undecided"),
        Column("played_at", MOMENT, "when the trial was evaluated", "UTC"),
    ),
    by="key",
)

TRIAL_BLOCKS = Table(
    "trial_blocks",
    "one block of a store day of a trial",
    ("trial", "sold_on", "store_id", "block"),
    (
        _TRIAL,
        Column("sold_on", pa.date32(), "business date"),
        STORE,
        Column("block", pa.int16(), "number of the block in the day, from 0"),
        Column("arm", LONG_TEXT, "a or b"),
        Column("policy", LONG_TEXT, "name of the policy that priced the block"),
        Column(
            "chance",
            pa.float64(),
            "chance of the coin; times the propensity of a decision, the chance of its policy and its price",
            "probability",
        ),
        Column("earned_eur", pa.float64(), "what the block earned, washout included", "EUR"),
        Column(
            "counted_eur", pa.float64(), "what counts of it in the estimate, weights and stock values included", "EUR"
        ),
    ),
    by="key",
)
