"""The contextual dynamic-pricing bandit that pybandits ships: `CmabBernoulliDP`, with the price as a quantity.

It is after Chen and Gallego, "Nonparametric Pricing Analytics with Customer Covariates" (Operations Research, 2021).
Played as its documentation says: each product has a bandit with one action, whose quantity from 0 to 1 is a price from
the lowest candidate to the highest (what a sale there gains, where margin is the objective). A Bayesian neural network
with four hidden units makes a chance of sale of the price, the time of day and whether it is a weekend. `predict` draws
its weights and returns the quantity with the highest price x chance; the nearest candidate is shown. It is asked when
an hour begins. `update` is told each visit that found the product, after closing, since an update takes seconds: it
compiles the network anew, and takes 1,000 steps of variational inference. It knows no stock.

Each candidate could be an action of its own instead: a network for each, and half a minute for each update.

The library is of the optional extra `peers`, and is imported when a peer is made.
"""

import io
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from catalog.load import Catalog
from catalog.pricing import Shelf, Sold
from evaluation.peers.known_shelf import KnownShelf, known_before_opening
from serving.pricing_policy import Asked

NAME = "pybandits_contextual"
_ACTION = "a price"
_HIDDEN = [4]


@dataclass(frozen=True)
class PybanditsContextual:
    """The peer on one of its days, which count from 0, a Monday. Its bandits learn in place: a peer is played once.

    `sold` is what the day has brought so far.
    """

    known: KnownShelf
    bandits: tuple[Any, ...] = field(repr=False)
    day: int = 0
    sold: tuple[Sold, ...] = ()
    name: str = NAME
    model_version: str | None = None
    rules: tuple[str, ...] = ("greedy",)

    def ask(self, shelf: Shelf) -> Asked:
        """Let each product's bandit predict a quantity for each store when an hour begins; then it stands."""
        tick = self.known.n_ticks - shelf.ticks_left
        if tick % self.known.hour:
            return self.known.ask(self.known.position_of(shelf.shown_prices))
        context = self.known.time_and_weekend(tick, self.day, len(shelf.stock))
        chosen = [bandit.predict(context=context)[0] for bandit in self.bandits]
        share = np.array([[float(np.ravel(quantity)[0]) for _, quantity in of_product] for of_product in chosen]).T
        low, high = self.known.candidates[:, 0], self.known.candidates[:, -1]
        return self.known.ask(self.known.position_of(low + share * (high - low)))

    def learned(self, sold: Sold) -> "PybanditsContextual":
        """Keep what a tick brought; after the last one, tell each bandit who met its prices and who bought."""
        today = (*self.sold, sold)
        if sold.tick + 1 < self.known.n_ticks:
            return replace(self, sold=today)
        low, high = self.known.candidates[:, 0], self.known.candidates[:, -1]
        for product, bandit in enumerate(self.bandits):
            quantities, rewards, contexts = list[float](), list[int](), []
            for one in today:
                shares = (one.prices[:, product] - low[product]) / (high[product] - low[product])
                for share, met, bought in zip(shares, one.met[:, product], one.bought[:, product], strict=True):
                    quantities += [float(share)] * int(met)
                    rewards += [1] * int(bought) + [0] * int(met - bought)
                    contexts.append(self.known.time_and_weekend(one.tick, self.day, int(met)))
            if rewards:
                told = {"quantities": quantities, "rewards": rewards, "context": np.concatenate(contexts)}
                with redirect_stderr(io.StringIO()):  # a progress bar for each
                    bandit.update(actions=[_ACTION] * len(rewards), **told)
        return replace(self, day=self.day + 1, sold=())


def pybandits_contextual(catalog: Catalog, seed: int) -> PybanditsContextual:
    """Return the peer before the first day of a store, a Monday."""
    from pybandits.cmab import CmabBernoulliDP
    from pybandits.quantitative_model import QuantitativeBayesianNeuralNetworkDP

    known = known_before_opening(catalog)
    n_features = known.time_and_weekend(0, 0, 1).shape[1]
    seeds = [seed * len(known.gains) + product for product in range(len(known.gains))]
    models = [
        QuantitativeBayesianNeuralNetworkDP.cold_start(
            n_features=n_features,
            price=partial(_gain_at, float(gains[0]), float(gains[-1])),
            base_model_cold_start_kwargs={"hidden_dim_list": _HIDDEN, "random_seed": own},
        )
        for gains, own in zip(known.gains, seeds, strict=True)
    ]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Only a single action")  # its quantity is what is chosen
        bandits = tuple(
            CmabBernoulliDP(actions={_ACTION: model}, random_seed=own) for model, own in zip(models, seeds, strict=True)
        )
    return PybanditsContextual(known, bandits)


def _gain_at(lowest: float, highest: float, quantity: Any) -> Any:
    """Return what a sale gains at the price that a quantity is, EUR, never below 0; of one, or of an array of them."""
    gain = np.maximum(lowest + np.asarray(quantity) * (highest - lowest), 0.0)
    return float(gain.ravel()[0]) if gain.size == 1 else gain
