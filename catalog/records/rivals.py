"""What rivals' prices mean for ours: how long a price that was seen counts."""

from pydantic import Field

from catalog.records.fields import Record

MOST_STALE_DAYS = 31
"""Days after which no rival's price counts, whatever a catalog says."""


class RivalRules(Record):
    """How long a rival's price counts."""

    stale_after_days: int = Field(
        default=7,
        ge=0,
        le=MOST_STALE_DAYS,
        description="a price counts through so many days after the date on which it was seen; its last date is noted "
        "when it is taken in",
    )
