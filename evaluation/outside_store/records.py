"""What the examination finds."""

from dataclasses import dataclass

from evaluation.outside_store.exchange import Outcome
from features.response import PriceResponse


@dataclass(frozen=True)
class Learned:
    """What the engine made of the receipts.

    Attributes
    ----------
    rows, rejected
        Rows of the export, and those that were rejected.
    responses
        What it says of each product's response to prices, in the order of its shelf.
    unmet
        What the gate asked for and did not find, in words; nothing where the model became champion.
    prices
        Its price of each product that it prices, EUR by sku, for a full shelf at opening. Any other keeps its price.
    """

    rows: int
    rejected: int
    responses: tuple[PriceResponse, ...]
    unmet: tuple[str, ...]
    prices: dict[str, float]


@dataclass(frozen=True)
class Examined:
    """What was found.

    Attributes
    ----------
    version
        Version of the package.
    days, rounds
        Last day of the export and what the engine made of it, each time it was read.
    truth
        True elasticity of each product at the mean prices of the days that the last round read.
    outcomes
        What each way of pricing earned, by name.
    """

    version: str
    days: tuple[int, ...]
    rounds: tuple[Learned, ...]
    truth: dict[str, float]
    outcomes: dict[str, Outcome]
