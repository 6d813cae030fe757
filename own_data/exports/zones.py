"""In which time zones the times of an export are: those it is written in, and those of its stores.

A time without a zone is the local time of its store, unless the file is said to be in another zone. The date of a row
is the local date of its store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.clocks import UTC
from catalog.records.store import Store
from own_data.exports.columns import Reading


@dataclass(frozen=True)
class StoreZones:
    """Time zones by store.

    Attributes
    ----------
    chain
        Zone of a store that has none of its own.
    of_store
        Zones of the others, by the id of the store.
    written
        Zone of times without an offset; None is that of their store.
    """

    chain: str = UTC
    of_store: Mapping[str, str] = field(default_factory=dict)
    written: str | None = None

    def of(self, store: str) -> str:
        """Return the zone of a store, by its id."""
        return self.of_store.get(store, self.chain)

    @property
    def as_written(self) -> str:
        """Name the zones of times without an offset, for people."""
        own = [self.chain, *self.of_store.values()] if self.written is None else [self.written]
        return ", ".join(dict.fromkeys(own))


def zones_of(reading: Reading, store: Store | None) -> StoreZones:
    """Return the zones of an export; None is a shelf that is estimated from it, which keeps UTC."""
    said = reading.time_zone if "time_zone" in reading.model_fields_set else None
    return StoreZones(written=said) if store is None else StoreZones(store.timezone, store.timezones, said)
