"""The clairvoyant: the product's own recursion on the true demand and footfall, with a fine ladder of prices."""

import datetime as dt
from dataclasses import dataclass, fields

import numpy as np

from catalog.arrays import Ints
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from etl.twin.visits import budget_shifts_on, stores_alike
from plugins.evaluation.truth import expected_visits_on, true_curves
from serving.optimise.policies import Asked, PricingPolicy, StockAwarePolicy, stock_aware

CLAIRVOYANT = "clairvoyant"
_FINE_LADDER = 200


def clairvoyant(catalog: Catalog, date: dt.date, store: str | None = None) -> StockAwarePolicy:
    """Return the limit: the same recursion on true demand and footfall, on a fine ladder within floor and ceiling.

    It is that of one store: of a given one, or of any that no demand effect names.
    """
    fine = Catalog(catalog.products, catalog.store.model_copy(update={"ladder_prices": _FINE_LADDER}))
    visits = expected_visits_on(catalog, date, store)
    return stock_aware(catalog, true_curves(fine, date, store), visits, CLAIRVOYANT)


@dataclass(frozen=True)
class OnePolicyEach:
    """Stores that are priced by policies of their own. Implements `serving.optimise.policies.PricingPolicy`.

    `group` is the position of each store's policy, shape (n_stores,), in the order in which a shelf has the stores.
    """

    policies: tuple[PricingPolicy, ...]
    group: Ints

    @property
    def name(self) -> str:
        """Name of the first policy: all have the same."""
        return self.policies[0].name

    @property
    def model_version(self) -> str | None:
        """The model version behind the first policy."""
        return self.policies[0].model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of each of them."""
        return self.policies[0].rules

    def ask(self, shelf: Shelf) -> Asked:
        """Ask each store's policy for its own row."""
        answers, rows = [policy.ask(shelf) for policy in self.policies], np.arange(len(self.group))
        each = {field.name: [getattr(answer, field.name) for answer in answers] for field in fields(Asked)}
        none = np.full(shelf.stock.shape, np.nan)  # of stickers, where a policy sticks none
        given = {name: values for name, values in each.items() if any(answer is not None for answer in values)}
        return Asked(
            **{
                name: np.stack([none if answer is None else answer for answer in values])[self.group, rows]
                for name, values in given.items()
            }
        )


class Clairvoyants:
    """The clairvoyant of each date, worked out once for each state of the world."""

    def __init__(self, catalog: Catalog) -> None:
        """Know a world."""
        self._catalog = catalog
        self._policies: dict[bytes, PricingPolicy] = {}

    def on(self, date: dt.date) -> PricingPolicy:
        """Return the policy that knows the date's demand and expected footfall."""
        examples, group = stores_alike(self._catalog, self._catalog.store.stores)
        each = tuple(self._of(date, store) for store in examples)
        return each[0] if len(each) == 1 else OnePolicyEach(each, group)

    def _of(self, date: dt.date, store: str) -> PricingPolicy:
        """Return the policy that knows a store's demand on a date."""
        catalog = self._catalog
        state = budget_shifts_on(catalog, date, store).tobytes() + expected_visits_on(catalog, date, store).tobytes()
        if state not in self._policies:
            self._policies[state] = clairvoyant(catalog, date, store)
        return self._policies[state]
