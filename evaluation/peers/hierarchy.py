"""A hierarchical logit: products lend each other strength through a mean that they share.

theta_p ~ N(mu, own), mu ~ N(m, shared), where theta is (level, log slope) of a product in price ratio. The posterior is
approximated by a normal distribution around its mode (Laplace), with the Fisher information of the sales.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats
from evaluation.peers.logit import WEAK, LogitPrior, fit_logits

_ROUNDS = 50
_CLOSE = 1e-8


@dataclass(frozen=True)
class HierarchicalPrior:
    """Means, (2,), and standard deviations of what products share and of what is each one's own, (2,) each."""

    mean: Floats
    shared: Floats
    own: Floats


def halves_of(prior: LogitPrior) -> HierarchicalPrior:
    """Split a prior: half of each variance is shared, half is a product's own."""
    deviation = prior.deviation / np.sqrt(2)
    return HierarchicalPrior(prior.mean, deviation, deviation)


WEAK_TOGETHER = halves_of(WEAK)
"""For one product on its own, exactly `WEAK`."""


@dataclass(frozen=True)
class HierarchicalPosterior:
    """The normal approximation of a hierarchical logit.

    Attributes
    ----------
    mean, covariance
        Of what products share, shape (2,) and (2, 2).
    parameters
        Mode of each product's level and log slope, shape (n_products, 2).
    pull
        How far a product follows when what is shared moves, shape (n_products, 2, 2).
    remaining
        Covariance of a product's parameters where what is shared is known, shape (n_products, 2, 2).
    """

    mean: Floats
    covariance: Floats
    parameters: Floats
    pull: Floats
    remaining: Floats

    def draw(self, dice: np.random.Generator) -> Floats:
        """Draw every product's parameters together, shape (n_products, 2)."""
        moved = np.linalg.cholesky(self.covariance) @ dice.standard_normal(2)
        apart = np.linalg.cholesky(self.remaining) @ dice.standard_normal((len(self.parameters), 2, 1))
        return self.parameters + self.pull @ moved + apart[:, :, 0]


def posterior_of(distance: Floats, offered: Floats, bought: Floats, prior: HierarchicalPrior) -> HierarchicalPosterior:
    """Find the mode by Newton's method on what is shared, each product fitted anew given it.

    Parameters
    ----------
    distance, offered, bought
        Price ratio less 1, visits and purchases, shape (n_products, n_prices).
    """
    apart, shared = np.diag(prior.own**-2.0), np.diag(prior.shared**-2.0)
    mean = prior.mean.copy()
    parameters = np.tile(mean, (len(distance), 1))
    for _ in range(_ROUNDS):
        parameters, information = fit_logits(
            distance, offered, bought, np.tile(mean, (len(distance), 1)), prior.own**-2.0, parameters
        )
        remaining = np.linalg.inv(apart + information).astype(np.float64)
        pull = remaining @ apart
        precision = shared + (apart - apart @ pull).sum(axis=0)
        score = shared @ (prior.mean - mean) + apart @ (parameters - mean).sum(axis=0)
        step = np.linalg.solve(precision, score)
        mean = mean + step
        if np.abs(step).max() < _CLOSE:
            break
    covariance: Floats = np.linalg.inv(precision)
    return HierarchicalPosterior(mean, covariance, parameters, pull, remaining)
