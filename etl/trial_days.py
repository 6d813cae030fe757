"""Days that were sold in a trial: ordinary batches under a name of their own, whose stores nobody plays again."""

import datetime as dt

from catalog.names import TRIAL_GROUP
from etl.ledger import in_force_in
from warehouse.lake import Lake, Partition
from warehouse.within import Within


def is_of_a_trial(partition: Partition) -> bool:
    """Tell whether a partition is of a day that was sold in a trial."""
    return partition.group.startswith(TRIAL_GROUP)


def store_days_in_trials(lake: Lake, within: Within) -> set[tuple[dt.date, str]]:
    """Return the date and store of every day of some dates that was sold in a trial, as the ledger says."""
    return {
        (part.business_date, store)
        for part in lake.partitions("interactions", within)
        if part.business_date is not None and is_of_a_trial(part)
        for row in in_force_in(lake, part.business_date, part.group)[:1]
        for store in row.stores
    }
