"""What sellers earned: learners in worlds whose demand is known exactly, and drawn prices in outside stores."""

import pyarrow as pa

from catalog.tables.table import LONG_TEXT, MOMENT, STORE, Column, Table

REGRET_BY_DAY = Table(
    "regret_by_day",
    "one learner on one of the first days of a world with one seed, on the same shoppers as the others",
    ("world", "learner", "count_stores", "seed", "day"),
    (
        Column("world", LONG_TEXT, "world that was lived in"),
        Column(
            "learner",
            LONG_TEXT,
            "as_shipped is the product, its gate included; belief_alone is the product without a model; static is the "
            "owner's price, which is the base price; the others are its peers",
        ),
        Column("seed", pa.int64(), "seed of the shoppers and of what learners draw", "number"),
        Column("count_stores", pa.int64(), "stores that learn together", "stores"),
        Column("day", pa.int64(), "day since the store opened, from 1", "days"),
        Column("gain_eur", pa.float64(), "what the learner earned on the day, all stores", "EUR"),
        Column("clairvoyant_eur", pa.float64(), "what a clairvoyant earned from the same shoppers", "EUR"),
        Column(
            "priced_by",
            LONG_TEXT,
            "what the product's prices came from: base, belief or champion; null for other learners",
            nullable=True,
        ),
        Column(
            "model_version", LONG_TEXT, "model version behind the product's prices; null without one", nullable=True
        ),
        Column("judged_version", LONG_TEXT, "version judged in the night after; null when none was", nullable=True),
        Column(
            "verdict", LONG_TEXT, "the gate's word on it: promoted, waits or refused; null without one", nullable=True
        ),
        Column(
            "true_gain_eur",
            pa.float64(),
            "what its prices would truly earn more than those in force, on the day that they were to price; null when "
            "not known",
            "EUR per store day",
            nullable=True,
        ),
        *(
            Column(
                f"gain_{end}_eur",
                pa.float64(),
                f"{end} end of the 95 % interval of that gain that the gate read; null where it asked no belief",
                "EUR per store day",
                nullable=True,
            )
            for end in ("lower", "upper")
        ),
        Column("waste_eur", pa.float64(), "cost of what was thrown away on the day, all stores", "EUR", nullable=True),
        Column("units", pa.int64(), "units sold on the day, all stores", "units", nullable=True),
        Column("spoiled", pa.int64(), "units thrown away on the day, all stores", "units", nullable=True),
        Column("lived_at", MOMENT, "when the days were lived", "UTC"),
    ),
    by="key",
    unique_in="partition",
)

_INTERVAL = "end of its 95 % interval; null where too few weeks were held to know"

EARNED = Table(
    "earned",
    "what drawn prices brought against the owner's up to a date: the chain, one of its weeks, categories or stores",
    ("scope", "name"),
    (
        Column(
            "scope",
            LONG_TEXT,
            "chain, week, category or store; of the chain, `waste` is what was thrown away, and `less waste` its "
            "profit less waste and nights",
        ),
        Column("name", LONG_TEXT, "the first date of the week, the category or the store; empty for the chain"),
        Column("first", pa.date32(), "first business date that was looked at"),
        Column("euros", pa.float64(), "profit more than the owner's prices would have brought", "EUR", nullable=True),
        Column("euros_low", pa.float64(), f"lower {_INTERVAL}", "EUR", nullable=True),
        Column("euros_high", pa.float64(), f"upper {_INTERVAL}", "EUR", nullable=True),
        Column("share", pa.float64(), "the same as a share of it", "share", nullable=True),
        Column("share_low", pa.float64(), f"lower {_INTERVAL}", "share", nullable=True),
        Column("share_high", pa.float64(), f"upper {_INTERVAL}", "share", nullable=True),
        Column("p_value", pa.float64(), "two-sided, of no difference", "probability", nullable=True),
        Column("n_held", pa.int64(), "store weeks that were held at the owner's prices", "store weeks"),
        Column("n_treated", pa.int64(), "store weeks with drawn prices", "store weeks"),
    ),
)

EARNED_SLOTS = Table(
    "earned_slots",
    "what one category brought in one outside store at the prices of a draw, while it stood",
    ("store_id", "category"),
    (
        STORE,
        Column("category", LONG_TEXT, "group of products"),
        Column("first", pa.date32(), "first business date of the draw"),
        Column(
            "through",
            pa.date32(),
            "last date of its week or other slot: a draw that takes another's place has the same",
        ),
        Column("block", LONG_TEXT, "stretch of slots that is held whole or not, as in price_draws"),
        Column("is_held", pa.bool_(), "whether the store stood at the owner's prices because the draw held it"),
        Column("profit", pa.float64(), "price less unit cost of all units sold at drawn prices", "EUR"),
        *(
            Column(name, pa.float64(), f"{meaning}; null where its stock is not told", unit, nullable=True)
            for name, meaning, unit in (
                ("units_wasted", "units thrown away", "units"),
                ("waste_eur", "what these had cost, and their disposal", "EUR"),
                ("holding_eur", "cost of keeping the others overnight", "EUR"),
            )
        ),
    ),
)
