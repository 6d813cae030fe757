"""Try prices on purpose: prices that never vary teach nothing."""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats
from catalog.pricing import Policy, PriceDecision, Shelf


@dataclass(frozen=True)
class Exploring:
    """Show a ladder price chosen uniformly at random in a share of ticks, and the inner policy's price otherwise.

    Attributes
    ----------
    inner
        The policy that decides the rest of the time.
    share
        Chance of trying a price, in [0, 1], per store, product and tick.
    ladder
        Candidate prices, EUR, shape (n_products, n_prices).
    chances
        Chance of sale at the candidates, of the same shape; NaN without a model.
    """

    inner: Policy
    share: float
    ladder: Floats
    chances: Floats

    @property
    def name(self) -> str:
        """The inner policy's name: exploration is how it is played, not another policy."""
        return self.inner.name

    @property
    def model_version(self) -> str | None:
        """The inner policy's model version."""
        return self.inner.model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """The inner policy's rules, and `exploration`."""
        return (*self.inner.rules, "exploration")

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Decide as the inner policy, or try a price where the dice say so.

        The logged propensity is the whole chance of the shown price: a candidate that equals the inner policy's
        price can come about both ways, and a cent that stands twice on the ladder counts twice.
        """
        usual = self.inner.decide(shelf)
        if self.share == 0:
            return usual
        n_prices = self.ladder.shape[1]
        products = np.arange(self.ladder.shape[0])
        explored = (shelf.dice < self.share) & (shelf.stock > 0)
        candidate = np.minimum((shelf.dice / self.share * n_prices).astype(np.int64), n_prices - 1)
        prices = np.where(explored, self.ladder[products, candidate], usual.prices)
        as_candidate = (self.ladder[None, :, :] == prices[:, :, None]).sum(axis=2) * self.share / n_prices
        propensity = as_candidate + (1 - self.share) * (prices == usual.prices) * usual.propensity
        return PriceDecision(
            prices=prices,
            propensity=np.where(shelf.stock > 0, propensity, usual.propensity),
            explored=explored,
            rule=np.where(explored, len(self.inner.rules), usual.rule),
            p_sale=np.where(explored, self.chances[products, candidate], usual.p_sale),
            unit_value=usual.unit_value,
        )
