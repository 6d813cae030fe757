"""The chance of sale as a logit in price ratio, two parameters a product, by maximum likelihood or with a prior.

log odds = level - exp(log slope) x (price / base price - 1), so demand always falls with price. Parameters stay in a
compact set, as maximum likelihood needs where all were sold, or none (den Boer and Zwart, Operations Research 63(4),
2015, assume one).

In the hierarchy products lend each other strength through a mean that they share: theta_p ~ N(mu, own), mu ~ N(m,
shared), where theta is (level, log slope). Its posterior is approximated by a normal distribution around its mode
(Laplace), with the Fisher information of the sales.
"""

from dataclasses import dataclass

import numba
import numpy as np

from catalog.arrays import Floats

LOWEST = np.array([-8.0, np.log(0.2)])
"""Lower ends of the compact set: level and log slope."""

HIGHEST = np.array([8.0, np.log(100.0)])
"""Upper ends of the compact set."""

_ROUNDS = 100
_HALVINGS = 30
_CLOSE = 1e-9
_SHARED_ROUNDS, _SHARED_CLOSE = 50, 1e-8
_RIDGE = 1e-9  # keeps the information solvable where nothing was seen


@dataclass(frozen=True)
class LogitPrior:
    """Independent normal distributions of level and log slope, (2,) each; the same for every product."""

    mean: Floats
    deviation: Floats


WEAK = LogitPrior(np.array([0.0, np.log(5.0)]), np.array([1.5, 0.7]))
"""What is taken for possible before anything is sold: nearly every shelf."""


def chance_of(parameters: Floats, distance: Floats) -> Floats:
    """Return the chance of sale, shape (n_products, n_prices).

    Parameters
    ----------
    parameters
        Level and log slope, shape (n_products, 2).
    distance
        Price ratio less 1, shape (n_products, n_prices).
    """
    odds = parameters[:, :1] - np.exp(parameters[:, 1:]) * distance
    return 1 / (1 + np.exp(-odds))


@numba.njit(cache=True, nogil=True)
def fit_logits(
    distance: Floats, offered: Floats, bought: Floats, mean: Floats, precision: Floats, start: Floats
) -> tuple[Floats, Floats]:
    """Find the parameters of highest posterior density in the compact set, each product on its own.

    Projected Fisher scoring: a parameter at the edge that would leave the set stays, and steps that do not improve are
    halved.

    Parameters
    ----------
    distance, offered, bought
        Price ratio less 1, visits and purchases, shape (n_products, n_prices).
    mean, precision
        Of the normal prior, shape (n_products, 2) and (2,); precision 0 is maximum likelihood.
    start
        Parameters to begin with, within the set, shape (n_products, 2).

    Returns
    -------
    parameters : Floats
        Level and log slope, shape (n_products, 2).
    information : Floats
        Fisher information of the sales alone, without the prior's, shape (n_products, 2, 2).
    """
    n_products = len(distance)
    found, information = np.empty((n_products, 2)), np.empty((n_products, 2, 2))
    for product in range(n_products):
        data = distance[product], offered[product], bought[product], mean[product], precision
        at = start[product].copy()
        density = _log_density(at, *data)
        for _ in range(_ROUNDS):
            step = _step(at, *data)
            improved = False
            for _ in range(_HALVINGS):
                ahead = np.minimum(np.maximum(at + step, LOWEST), HIGHEST)
                reached = _log_density(ahead, *data)
                if reached > density:
                    improved = True
                    break
                step = step / 2
            if not improved:
                break
            moved = np.abs(ahead - at).max()
            at, density = ahead, reached
            if moved < _CLOSE:
                break
        found[product] = at
        information[product] = _score_and_information(at, distance[product], offered[product], bought[product])[1]
    return found, information


@numba.njit(cache=True, nogil=True)
def _log_density(
    at: Floats, distance: Floats, offered: Floats, bought: Floats, mean: Floats, precision: Floats
) -> float:
    total = -0.5 * (precision * (at - mean) ** 2).sum()
    slope = np.exp(at[1])
    for price in range(len(distance)):
        odds = at[0] - slope * distance[price]
        log_total = max(odds, 0.0) + np.log1p(np.exp(-abs(odds)))
        total += bought[price] * odds - offered[price] * log_total
    return total


@numba.njit(cache=True, nogil=True)
def _step(at: Floats, distance: Floats, offered: Floats, bought: Floats, mean: Floats, precision: Floats) -> Floats:
    """Return the scoring step of the parameters that may move, shape (2,)."""
    score, information = _score_and_information(at, distance, offered, bought)
    score = score - precision * (at - mean)
    for one in range(2):
        information[one, one] += precision[one] + _RIDGE
    stays = ((at <= LOWEST) & (score < 0)) | ((at >= HIGHEST) & (score > 0))
    if stays[0] and stays[1]:
        return np.zeros(2)
    for one in range(2):
        if stays[one]:
            step = score / np.array([information[0, 0], information[1, 1]])
            step[one] = 0.0
            return step
    determinant = information[0, 0] * information[1, 1] - information[0, 1] ** 2
    if determinant <= _RIDGE * information[0, 0] * information[1, 1]:  # one price alone: climb
        return score / np.array([information[0, 0], information[1, 1]])
    first = information[1, 1] * score[0] - information[0, 1] * score[1]
    second = information[0, 0] * score[1] - information[0, 1] * score[0]
    return np.array([first, second]) / determinant


@numba.njit(cache=True, nogil=True)
def _score_and_information(at: Floats, distance: Floats, offered: Floats, bought: Floats) -> tuple[Floats, Floats]:
    """Return gradient and Fisher information of the log likelihood, shape (2,) and (2, 2)."""
    score, information = np.zeros(2), np.zeros((2, 2))
    slope = np.exp(at[1])
    for price in range(len(distance)):
        by_slope = -slope * distance[price]
        chance = 1 / (1 + np.exp(-(at[0] + by_slope)))
        surprise, weight = bought[price] - offered[price] * chance, offered[price] * chance * (1 - chance)
        score[0] += surprise
        score[1] += surprise * by_slope
        information[0, 0] += weight
        information[0, 1] += weight * by_slope
        information[1, 1] += weight * by_slope**2
    information[1, 0] = information[0, 1]
    return score, information


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
    for _ in range(_SHARED_ROUNDS):
        parameters, information = fit_logits(
            distance, offered, bought, np.tile(mean, (len(distance), 1)), prior.own**-2.0, parameters
        )
        remaining = np.linalg.inv(apart + information).astype(np.float64)
        pull = remaining @ apart
        precision = shared + (apart - apart @ pull).sum(axis=0)
        score = shared @ (prior.mean - mean) + apart @ (parameters - mean).sum(axis=0)
        step = np.linalg.solve(precision, score)
        mean = mean + step
        if np.abs(step).max() < _SHARED_CLOSE:
            break
    covariance: Floats = np.linalg.inv(precision)
    return HierarchicalPosterior(mean, covariance, parameters, pull, remaining)
