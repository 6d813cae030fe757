"""Where the kill switch of the desk holds: base prices stand there, whatever the catalog says."""

from catalog.load import Catalog
from dashboard.cache import Cache
from dashboard.data.notices import Notice
from dashboard.data.reader import Reader
from desk.price_changes.change import PriceChange
from desk.price_changes.record import changes_by_people
from etl.live.store_now import stores_now
from flows.clock import now_of
from warehouse.workspace import Workspace


class KillSwitch:
    """Shared by all browsers of a monitor; what people turned on is read again when it changes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._turned_on = Cache[list[PriceChange]](1)

    def notices(self, catalog: Catalog) -> list[Notice]:
        """Say where somebody turned it on, if it holds at the next tick of a store there."""
        asked = self._turned_on.get("now", self._read, lambda: self._reader.stamp("price_changes"))
        lake = self._reader.lake
        now = now_of(Workspace(lake.settings, catalog, lake))
        clocks = stores_now(lake, catalog, catalog.store.stores, now) if asked else {}
        return [
            _told(change)
            for change in asked
            if any(change.is_in_force(at.moment, store) for store, at in clocks.items())
        ]

    def _read(self) -> list[PriceChange]:
        changes = changes_by_people(self._reader.lake)
        return [change for change in changes if change.terms.kind == "kill_switch" and change.span() is not None]


def _told(change: PriceChange) -> Notice:
    where = change.terms.store or "every store"
    text = (
        f"{change.proposer} turned it on in {where}: {change.terms.reason}. Base prices stand there until it is undone "
        "at the desk."
    )
    return Notice("The kill switch is on", text, "stopped", f"shelfprice decide withdraw {change.id}")
