"""The prices in force while a store sells: read again between ticks, when what they are made of has changed."""

import logging
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import CatalogError
from catalog.load import DEFAULT_DIR, Catalog, load
from etl.live.day import LiveDay
from flows.simulate import Batch, PricedBy, batch_inputs, pricing_on
from warehouse.lake import Lake

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class CurrentPrices:
    """A catalog, the policy that prices by it, and the fingerprint of everything that decides a day under them."""

    catalog: Catalog
    batch: Batch
    priced_by: PricedBy
    fingerprint: str


class PriceDesk:
    """Knows the prices of one store and date, and looks again when the catalog's files or a price book changed."""

    def __init__(self, lake: Lake, catalog_dir: str | None, day: LiveDay, seed: int) -> None:
        self._lake, self._day, self._seed = lake, day, seed
        self._folder = Path(catalog_dir) if catalog_dir else DEFAULT_DIR
        self._stamp = self._newest_changes()
        self._in_force = self._read()

    def in_force(self) -> CurrentPrices:
        """Return the prices in force now; a catalog that cannot be used changes nothing, and is said once."""
        stamp = self._newest_changes()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._in_force = self._read()
            except CatalogError as error:
                _LOG.warning("%s; the catalog in force stays", error)
        return self._in_force

    def _read(self) -> CurrentPrices:
        catalog = load(self._folder)
        priced_by = pricing_on(self._lake, catalog, self._day.business_date, None)
        batch = Batch(self._day.business_date, self._day.part("interactions").group, (self._day.store,))
        return CurrentPrices(catalog, batch, priced_by, batch_inputs(catalog, batch, priced_by, self._seed))

    def _newest_changes(self) -> tuple[int, ...]:
        books = self._lake.root / "price_book"
        watched = [self._folder / "products.yaml", self._folder / "store.yaml", *sorted(books.glob("*"))]
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in watched)
