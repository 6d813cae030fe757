"""Live the first days of a world: the product, its peers and the base price meet the same shoppers.

Who comes is drawn before any price is known, so what the product sells in its own lake can be met again by every other
learner. The clairvoyant knows the date's demand and expected footfall, shocks included.
"""

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.load import Catalog
from catalog.names import Outcome
from catalog.settings import read_settings
from etl.batches import store_ids
from etl.calendar import DEFAULT_START
from etl.twin.visits import draw_visits
from flows.progress import tell
from plugins.evaluation.clairvoyant import Clairvoyants
from plugins.evaluation.living_store import GateFinding, LivingStore, Source
from plugins.evaluation.over_days import OverDays
from plugins.evaluation.peers.peer import NAMES, SHIPPED_NAMES, live_day, peers_of
from plugins.evaluation.takings import Takings, takings_of
from plugins.evaluation.worlds import StoreWorld
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront, storefront

PRODUCT = "as_shipped"
"""The product, through the very functions of its nights."""
BELIEF_ALONE = "belief_alone"
"""The product without a forest: nights that never train, so no champion ever prices."""
OWNERS_PRICE = "static"
"""The owner's price: the base price, always."""
LEARNERS = (PRODUCT, BELIEF_ALONE, *NAMES, *SHIPPED_NAMES, OWNERS_PRICE)
"""Every learner, in the order of tables; those of libraries that are not installed have no days."""
TITLES = {PRODUCT: "as shipped", BELIEF_ALONE: "belief alone", OWNERS_PRICE: "owner's price"}
"""What tables call a learner; peers are called by their names."""


@dataclass(frozen=True)
class AsShippedQuestion:
    """What is to be lived.

    Attributes
    ----------
    days
        First days of each store.
    seeds
        How often each world is lived, each time with other shoppers; the intervals are over these.
    stores
        Stores of each world, which has at least its own; they share a belief and a price book.
    """

    worlds: tuple[StoreWorld, ...]
    days: int
    seeds: int
    stores: int

    @property
    def parts(self) -> list[tuple[StoreWorld, int]]:
        """World and seed of each part."""
        return [(world, seed) for seed in range(1, self.seeds + 1) for world in self.worlds]


@dataclass(frozen=True)
class LivedDay:
    """One learner on one day of a world with one seed, all stores together.

    Attributes
    ----------
    day
        Number of the day, from 1.
    gain_eur, clairvoyant_eur
        What the learner earned by the catalog's objective, and the clairvoyant on the same shoppers.
    waste_eur, units, spoiled
        Cost of what the learner threw away, units that it sold, and units that it threw away.
    priced_by, model_version
        What the product's prices came from, and the version behind them if there is one; None for other learners.
    judged_version, verdict
        The version that was judged in the night after, and what the gate said; None where none was.
    true_gain_eur
        What its prices would truly earn more than those in force on the day that they were to price, EUR per store
        day; None where that is not known.
    gain_lower_eur, gain_upper_eur
        Ends of the 95 % interval of that gain by the belief's word; None where the gate asked no belief.
    """

    world: str
    learner: str
    seed: int
    count_stores: int
    day: int
    gain_eur: float
    clairvoyant_eur: float
    priced_by: Source | None = None
    model_version: str | None = None
    judged_version: str | None = None
    verdict: Outcome | None = None
    true_gain_eur: float | None = None
    gain_lower_eur: float | None = None
    gain_upper_eur: float | None = None
    waste_eur: float = 0.0
    units: int = 0
    spoiled: int = 0


@dataclass(frozen=True)
class AsShipped:
    """What was found: every lived day, and the MLflow run that keeps it."""

    question: AsShippedQuestion
    days: tuple[LivedDay, ...]
    run_id: str = ""

    @property
    def learners(self) -> list[str]:
        """The learners that lived, in the order of tables."""
        lived = {day.learner for day in self.days}
        return [learner for learner in LEARNERS if learner in lived]


@dataclass(frozen=True)
class WorldToLive:
    """A world that every learner lives in, on the shoppers of a seed. A part of the experiment."""

    world: StoreWorld
    seed: int
    days: int
    stores: int

    @property
    def name(self) -> str:
        """The world and the seed."""
        return f"{self.world.name}, seed {self.seed}"

    def play(self) -> list[LivedDay]:
        """Live the first days under every learner; return one record for each learner and day."""
        catalog, world, seed = with_stores(self.world.catalog, self.stores), self.world.name, self.seed
        peers, clairvoyants = peers_of(catalog, seed), Clairvoyants(catalog)
        objective = catalog.store.policies.objective
        owners, lived = storefront(catalog, policy_without_model(catalog, "static")), list[LivedDay]()
        with (
            tempfile.TemporaryDirectory(prefix="shelfprice-as-shipped-") as home,
            tempfile.TemporaryDirectory(prefix="shelfprice-belief-") as home_of_belief,
        ):
            product, belief = (
                LivingStore(read_settings({"SHELFPRICE_HOME": folder}), catalog, seed)
                for folder in (home, home_of_belief)
            )
            ideal, over_days = OverDays(), {name: OverDays() for name in (OWNERS_PRICE, *peers)}
            steps = 2 + len(peers)  # each day: the product and its night, its belief alone, and each peer
            for day in range(1, self.days + 1):
                done = steps * (day - 1)
                tell(self.name, done, steps * self.days)
                date = DEFAULT_START + dt.timedelta(days=day - 1)
                visits = draw_visits(catalog, catalog.store.stores, date, seed)
                best = ideal.meet(catalog, Storefront(clairvoyants.on(date)), catalog.store.stores, date, visits)
                most = takings_of(best, catalog).counted(objective)
                sold = product.sell(date)
                source = product.source_of(sold.priced_by)  # before the night has a say
                judged = product.night(date).judged_version
                finding = product.judged(judged) if judged else GateFinding()
                tell(self.name, done + 1, steps * self.days)
                earned = {BELIEF_ALONE: belief.sell(date).takings}
                belief.night_without_training(date)
                at_base = over_days[OWNERS_PRICE].meet(catalog, owners, catalog.store.stores, date, visits)
                earned[OWNERS_PRICE] = takings_of(at_base, catalog)
                for number, (name, peer) in enumerate(peers.items(), 2):
                    tell(self.name, done + number, steps * self.days)
                    kept = over_days[name].before(catalog, catalog.store.stores, date)
                    played, peers[name] = live_day(catalog, peer, date, visits, kept)
                    over_days[name].ended(played)
                    earned[name] = takings_of(played, catalog)
                where = (seed, len(catalog.store.stores), day)
                priced = (source, sold.priced_by.policy.model_version)
                product_day = LivedDay(
                    world, PRODUCT, *where, sold.gain_eur, most, *priced, judged, **finding._asdict()
                )
                lived.append(_with_waste(product_day, sold.takings))
                lived += [
                    _with_waste(LivedDay(world, name, *where, brought.counted(objective), most), brought)
                    for name, brought in earned.items()
                ]
            tell(self.name, steps * self.days, steps * self.days)
        return lived


def live(part: WorldToLive) -> list[LivedDay]:
    """Live a world, wherever there is room for it."""
    return part.play()


def _with_waste(day: LivedDay, brought: Takings) -> LivedDay:
    return replace(day, waste_eur=brought.waste_eur, units=int(brought.units), spoiled=int(brought.spoiled))


def with_stores(catalog: Catalog, stores: int) -> Catalog:
    """Return a catalog with so many stores: all of its own first, then numbered ones."""
    names = store_ids(catalog, max(stores, len(catalog.store.stores)))
    return Catalog(catalog.products, catalog.store.model_copy(update={"stores": names}))


def put_together(question: AsShippedQuestion, lived: Sequence[list[LivedDay]]) -> AsShipped:
    """Put the parts together, in the order of worlds, learners, seeds and days."""
    order = {world.name: position for position, world in enumerate(question.worlds)}
    days = [day for part in lived for day in part]
    days.sort(key=lambda row: (order[row.world], LEARNERS.index(row.learner), row.seed, row.day))
    return AsShipped(question, tuple(days))
