"""Live the first days of a world: the product, its peers and the base price meet the same shoppers.

Who comes is drawn before any price is known, so what the product sells in its own lake can be met again by every other
learner. The clairvoyant knows the date's demand and expected footfall, shocks included.
"""

import datetime as dt
import tempfile

from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.pricing import Policy
from catalog.settings import read_settings
from etl.batches import store_ids
from etl.business_dates import DEFAULT_START
from evaluation.as_shipped.product import live_date
from evaluation.as_shipped.records import BASE_PRICES, PRODUCT, LivedDay
from evaluation.contestants import clairvoyant
from evaluation.living_store import LivingStore
from evaluation.peers.choices import peers_of
from evaluation.peers.peer import live_day
from evaluation.scores import tally
from evaluation.worlds import World
from serving.pricing_policy import PricingPolicy
from serving.storefront import Storefront, storefront_at_base_prices
from simulation.store_day import meet
from simulation.truth import chance_on
from simulation.visits import Visits, draw_visits, expected_visits_on


def live_world(world: World, seed: int, days: int, stores: int) -> list[LivedDay]:
    """Live the first days of a world under every learner; returns one record for each learner and day."""
    catalog = with_stores(world.catalog, stores)
    peers, known = peers_of(catalog, seed), Clairvoyants(catalog)
    base, found = storefront_at_base_prices(catalog), list[LivedDay]()
    with tempfile.TemporaryDirectory(prefix="shelfprice-as-shipped-") as home:
        product = LivingStore(read_settings({"SHELFPRICE_HOME": home}), catalog, seed)
        for day in range(1, days + 1):
            date = DEFAULT_START + dt.timedelta(days=day - 1)
            visits = draw_visits(catalog, catalog.store.stores, date, seed)
            most = _gain(catalog, Storefront(known.on(date)), date, visits)
            shipped = live_date(product, date)
            earned = {BASE_PRICES: _gain(catalog, base, date, visits)}
            for name, peer in peers.items():
                played, peers[name] = live_day(catalog, peer, date, visits)
                earned[name] = tally(played, catalog).gain_eur
            at = (seed, stores, day)
            found.append(LivedDay(world.name, PRODUCT, *at, clairvoyant_eur=most, **vars(shipped)))
            found += [LivedDay(world.name, name, *at, gain, most) for name, gain in earned.items()]
    return found


def with_stores(catalog: Catalog, stores: int) -> Catalog:
    """Return a catalog with so many stores: its own first, then numbered ones."""
    return Catalog(catalog.products, catalog.store.model_copy(update={"stores": store_ids(catalog, stores)}))


class Clairvoyants:
    """The clairvoyant of each date, worked out once for each state of the world."""

    def __init__(self, catalog: Catalog) -> None:
        """Know a world."""
        self._catalog = catalog
        self._known: dict[bytes, PricingPolicy] = {}

    def on(self, date: dt.date) -> PricingPolicy:
        """Return the policy that knows the date's demand and expected footfall."""
        catalog = self._catalog
        ratios = price_ladder(catalog) / catalog.base_prices[:, None]
        state = chance_on(catalog, date, ratios).tobytes() + expected_visits_on(catalog, date).tobytes()
        if state not in self._known:
            self._known[state] = clairvoyant(catalog, date)
        return self._known[state]


def _gain(catalog: Catalog, policy: Policy, date: dt.date, visits: Visits) -> float:
    return tally(meet(catalog, policy, catalog.store.stores, date, visits), catalog).gain_eur
