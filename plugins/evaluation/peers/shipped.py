"""Bandits that others ship, played as their documentation says.

Their libraries are of the optional extra `peers`, and are imported when a peer is made.

`bayesianbandits_glm` is the Bayesian logistic regression of bayesianbandits, as a contextual bandit whose reward sees
the price ("map binary outcomes to profit", and its batch reward functions). Each product has a
`LipschitzContextualAgent` whose arms are the candidate prices. They share one `BayesianGLM` with the link `logit`, the
prior N(0, 1) on each weight and features of about unit size: a constant, the price, the time of day and whether it is a
weekend. `ThompsonSampling` draws the weights, and the reward function makes of each chance what a sale at that arm's
price gains. It is asked for every store in every tick, and told each visit that found the product, after the tick. It
knows the hour and the day of the week, and no stock.

`pybandits_beta` is the dynamic-pricing bandit of pybandits: `SmabBernoulliDP` on `BetaDP` arms, one for each candidate
price. Each product has a bandit whose actions are its candidates, each with its price (what
a sale gains, where margin is the objective). `predict` draws a chance of sale for every action and returns the one with
the highest price x chance; `update` counts who bought. It is asked for every store in every tick, and told each visit
that found the product, after the tick. It knows neither stock nor the hour.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from catalog.arrays import Floats
from catalog.decisions.pricing import Shelf, Sold
from catalog.load import Catalog
from plugins.evaluation.peers.known_shelf import KnownShelf, known_before_opening
from serving.optimise.policies import Asked

BAYESIAN_GLM, BETA = "bayesianbandits_glm", "pybandits_beta"


@dataclass(frozen=True)
class BayesianBanditsGlm:
    """The peer on one of its days, which count from 0, a Monday. Its agents learn in place: a peer is played once."""

    known: KnownShelf
    agents: tuple[Any, ...] = field(repr=False)
    day: int = 0
    name: str = BAYESIAN_GLM
    model_version: str | None = None
    rules: tuple[str, ...] = ("greedy",)

    def ask(self, shelf: Shelf) -> Asked:
        """Let each product's agent pull an arm for each store."""
        context = self.known.time_and_weekend(self.known.n_ticks - shelf.ticks_left, self.day, len(shelf.stock))
        return self.known.ask(np.array([agent.pull(context) for agent in self.agents]).T)

    def learned(self, sold: Sold) -> "BayesianBanditsGlm":
        """Tell each agent who met its prices and who bought."""
        candidate = self.known.position_of(sold.prices)
        for product, agent in enumerate(self.agents):
            rows = zip(candidate[:, product], sold.met[:, product], sold.bought[:, product], strict=True)
            for arm, met, bought in rows:
                if met:
                    bought_or_not = (np.arange(met) < bought).astype(float)
                    context = self.known.time_and_weekend(sold.tick, self.day, met)
                    agent.select_for_update(int(arm)).update(context, bought_or_not)
        return replace(self, day=self.day + 1) if sold.tick + 1 == self.known.n_ticks else self


def bayesianbandits_glm(catalog: Catalog, seed: int) -> BayesianBanditsGlm:
    """Return the peer before the first day of a store, a Monday."""
    from bayesianbandits import Arm, BayesianGLM, FunctionArmFeaturizer, LipschitzContextualAgent, ThompsonSampling

    known = known_before_opening(catalog)
    agents = tuple(
        LipschitzContextualAgent(
            [Arm(at) for at in range(len(gains))],
            ThompsonSampling(),
            FunctionArmFeaturizer(partial(_features, distance / distance.std())),
            BayesianGLM(alpha=1.0, link="logit"),
            batch_reward_function=partial(_gain_of, gains),
            random_seed=seed * len(known.gains) + product,
        )
        for product, (gains, distance) in enumerate(zip(known.gains, known.distance, strict=True))
    )
    return BayesianBanditsGlm(known, agents)


def _features(distance: Floats, X: Floats, action_tokens: Any) -> Floats:
    """Return a constant, the price and the context for each arm, shape (n_contexts, n_features, n_arms)."""
    arms = distance[np.asarray(action_tokens)]
    features = np.ones((len(X), 2 + X.shape[1], len(arms)))
    features[:, 1, :] = arms
    features[:, 2:, :] = X[:, :, None]
    return features


def _gain_of(gains: Floats, samples: Floats, action_tokens: Any) -> Floats:
    """Return what drawn chances of sale, shape (n_arms, n_contexts, n_draws), are worth at each arm's price, EUR."""
    return samples * gains[np.asarray(action_tokens)][:, None, None]


@dataclass(frozen=True)
class PybanditsBeta:
    """The peer. Its bandits, one for each product, learn in place: a peer is played once."""

    known: KnownShelf
    bandits: tuple[Any, ...] = field(repr=False)
    name: str = BETA
    model_version: str | None = None
    rules: tuple[str, ...] = ("greedy",)

    def ask(self, shelf: Shelf) -> Asked:
        """Let each product's bandit predict an action for each store."""
        chosen = [bandit.predict(n_samples=len(shelf.stock))[0] for bandit in self.bandits]
        return self.known.ask(np.array(chosen).astype(np.int64).T)

    def learned(self, sold: Sold) -> "PybanditsBeta":
        """Tell each bandit who met its prices and who bought."""
        candidate = self.known.position_of(sold.prices)
        for product, bandit in enumerate(self.bandits):
            met, bought = sold.met[:, product], sold.bought[:, product]
            actions = np.repeat(candidate[:, product], met)
            rewards = np.concatenate([np.arange(came) < sales for came, sales in zip(met, bought, strict=True)])
            if len(actions):
                bandit.update(actions=[str(one) for one in actions], rewards=[int(one) for one in rewards])
        return self


def pybandits_beta(catalog: Catalog, seed: int) -> PybanditsBeta:
    """Return the peer before the first day of a store."""
    from pybandits.model import BetaDP
    from pybandits.smab import SmabBernoulliDP

    known = known_before_opening(catalog)
    bandits = tuple(
        SmabBernoulliDP(
            actions={str(at): BetaDP(price=max(float(gain), 0.0)) for at, gain in enumerate(gains)},
            random_seed=seed * len(known.gains) + product,
        )
        for product, gains in enumerate(known.gains)
    )
    return PybanditsBeta(known, bandits)
