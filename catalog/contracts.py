"""Every table that crosses a folder: its grain, its columns, their types, units and nullability.

Publishing enforces the contracts in `catalog/tables`; the data dictionary is written from them. Nothing else defines a
table. Tables by day keep their `business_date` in the folder name, not in the file.
"""

import re

from catalog.table import Table
from catalog.tables.comparisons import LEARNING_RESULTS, POLICY_RESULTS, REGRET_BY_DAY, TRIAL_BLOCKS, TRIALS
from catalog.tables.decisions import (
    DEMAND_CELLS,
    INTERACTIONS,
    LIVE_INTERACTIONS,
    LIVE_REPRICINGS,
    PROMOTIONS,
    REJECTED,
    REPRICINGS,
    STORE_VISITS,
    UNIT_SALES,
    VISIT_COUNTS,
)
from catalog.tables.learning import (
    BELIEF_UPDATES,
    BELIEFS,
    DRIFT_CHECKS,
    DRIFT_RESULTS,
    MODEL_VERSIONS,
    NIGHTS,
    REPLACED_BELIEFS,
)
from catalog.tables.operations import ALERTS, EXPORT_BATCHES, INGESTED_FILES, LABEL_STATES, PRICE_CHANGES
from catalog.tables.prices import (
    CATALOGS,
    CHAMPIONS,
    DAYS_IN_FORCE,
    DEMAND_CURVES,
    HOURLY_DEMAND_CURVES,
    HOURLY_PRICE_BOOK,
    PRICE_BOOK,
    PRODUCTS,
    REPLACED_DEMAND_CURVES,
    REPLACED_PRICE_BOOK,
    SHOPPERS,
    STORES,
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        INTERACTIONS,
        REPRICINGS,
        LIVE_INTERACTIONS,
        LIVE_REPRICINGS,
        UNIT_SALES,
        PROMOTIONS,
        REJECTED,
        INGESTED_FILES,
        DEMAND_CELLS,
        VISIT_COUNTS,
        STORE_VISITS,
        PRICE_BOOK,
        DEMAND_CURVES,
        REPLACED_PRICE_BOOK,
        REPLACED_DEMAND_CURVES,
        HOURLY_PRICE_BOOK,
        HOURLY_DEMAND_CURVES,
        PRICE_CHANGES,
        ALERTS,
        EXPORT_BATCHES,
        LABEL_STATES,
        BELIEFS,
        REPLACED_BELIEFS,
        BELIEF_UPDATES,
        MODEL_VERSIONS,
        CHAMPIONS,
        DAYS_IN_FORCE,
        CATALOGS,
        DRIFT_CHECKS,
        NIGHTS,
        POLICY_RESULTS,
        LEARNING_RESULTS,
        REGRET_BY_DAY,
        DRIFT_RESULTS,
        TRIALS,
        TRIAL_BLOCKS,
        PRODUCTS,
        SHOPPERS,
        STORES,
    )
}

GROUP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Names a partition may have; any other name could lead out of the lake's folder."""
