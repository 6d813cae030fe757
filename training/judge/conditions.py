"""The gate's conditions on a model alone: what it may look at, what it must have seen, whether its chances hold.

Honest chances of sale are probabilities that fall with the price and come true. Limits that luck could break on few
decisions allow for it: two standard errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.metrics import calibration_error
from catalog.names import PRICES_WERE_OURS
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.judge.scores import base_rates, calibration_luck, log_loss, reliability_slope

STANDARD_ERRORS = 2.0
"""Of what a perfect model would show, that a limit allows for."""


@dataclass(frozen=True)
class Condition:
    """One condition, whether it is met, and what was found."""

    name: str
    met: bool
    found: str

    def as_record(self) -> dict[str, str | bool]:
        """Return the condition as plain values, as `model_versions` keeps it."""
        return {"condition": self.name, "met": self.met, "found": self.found}


_KNOWN_FEATURES = ("price_offered", "price_ratio", "inventory_level")


def sees_only_what_is_known(challenger: FittedModel, dataset: Dataset) -> Condition:
    """Refuse features that nobody knows when a price is set, such as what the shopper would pay or did."""
    allowed = {*_KNOWN_FEATURES, *dataset.one_hot, *(() if dataset.attributes is None else dataset.attributes)}
    unknown = [name for name in challenger.features if name not in allowed]
    finding = f"it sees {', '.join(unknown)}" if unknown else f"{len(challenger.features)} features of price and shelf"
    return Condition("sees only what is known when pricing", not unknown, finding)


def every_product_was_seen(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    """Ask for decisions about every product that is to be priced."""
    missing = sorted(set(skus) - set(dataset.training["sku"]))
    finding = f"no decisions about {_listed(missing)}" if missing else f"decisions about all {len(skus)} products"
    return Condition("every product was seen", not missing, finding)


def every_price_varied(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    """Ask for at least two prices per product: one price teaches nothing."""
    prices = dataset.training.groupby("sku")["price_offered"].nunique()
    constant = [sku for sku in skus if prices.get(sku, 0) == 1]
    finding = f"one price only for {_listed(constant)}" if constant else f"at least {prices.min()} prices per product"
    return Condition("every price varied", not constant, finding)


_PRICE_STEP = 1.1  # the sign test raises each price by a tenth
_RISE_ALLOWED = 1e-9
_CALIBRATION_ALLOWED = 0.05
_OFFSET_ALLOWED = 0.03  # mean prediction against mean purchases
_SLOPES_ALLOWED = (0.7, 1.4)  # of observed on predicted log odds; below 1 is overconfident
_NAMED = 12  # products in a sentence
_BETTER_WANTED = 0.001  # nats per decision below each product's base rate


def chances_are_probabilities(chance: Floats) -> Condition:
    """Ask for finite numbers between 0 and 1."""
    bad = int((~np.isfinite(chance) | (chance < 0) | (chance > 1)).sum())
    return Condition("every chance of sale is a probability", bad == 0, f"{bad} of {len(chance)} are not")


def never_rises_with_price(challenger: FittedModel, holdout: pd.DataFrame) -> Condition:
    """Sign test: at a price 10 % higher, no product may be more likely to sell, in no state it was seen in."""
    dearer = holdout.assign(
        price_offered=holdout["price_offered"] * _PRICE_STEP, price_ratio=holdout["price_ratio"] * _PRICE_STEP
    )
    rise = challenger.p_sale(dearer) - challenger.p_sale(holdout)
    worst = int(np.argmax(rise))
    rising = sorted(set(holdout["sku"][rise > _RISE_ALLOWED]))
    finding = "for no product"
    if rising:
        finding = (
            f"for {_listed(rising)}; worst {holdout['sku'].iloc[worst]} at "
            f"{holdout['price_offered'].iloc[worst]:.2f}, by {rise[worst]:.3f}"
        )
    return Condition(
        "a price 10 % higher never sells more", not rising, finding if not rising else f"it does, {finding}"
    )


def is_calibrated(chance: Floats, holdout: pd.DataFrame) -> Condition:
    """Ask for a calibration error of at most 0.05 beyond what luck alone would show for a perfect model."""
    luck = calibration_luck(chance, holdout)
    error, limit = calibration_error(chance, holdout), _CALIBRATION_ALLOWED + luck
    finding = f"calibration error {error:.4f} of at most {limit:.4f}, of which {luck:.4f} is luck"
    return Condition("is calibrated", error <= limit, finding)


def is_reliable(chance: Floats, holdout: pd.DataFrame) -> Condition:
    """Ask that purchases rise with the log odds as predicted, and that on average as many buy as predicted.

    It is refused when two standard errors around the slope miss what is allowed.
    """
    offered, bought = (holdout[name].to_numpy().astype(float) for name in ("n_offered", "n_purchased"))
    offset = float(((chance * offered).sum() - bought.sum()) / offered.sum())
    luck = STANDARD_ERRORS * float(np.sqrt((chance * (1 - chance) * offered).sum()) / offered.sum())
    slope, error = reliability_slope(chance, holdout)
    lowest, highest = _SLOPES_ALLOWED
    met_slope = slope + STANDARD_ERRORS * error >= lowest and slope - STANDARD_ERRORS * error <= highest
    met_offset = abs(offset) <= _OFFSET_ALLOWED + luck
    finding = (
        f"slope {slope:.2f} +/- {STANDARD_ERRORS * error:.2f} of {lowest} to {highest}, mean chance {offset:+.4f} off "
        f"of at most {_OFFSET_ALLOWED + luck:.4f}"
    )
    return Condition("is reliable", met_slope and met_offset, finding)


def prices_were_ours() -> Condition:
    """Make a model of prices that somebody else set wait: they were set for reasons that moved demand, too."""
    finding = "somebody else set them, so what they teach prices nothing; the last regular price of each shelf stands"
    return Condition(PRICES_WERE_OURS, met=False, found=finding)


def _listed(skus: Sequence[str]) -> str:
    """Return names in a row; of many, the first of them and how many more there are."""
    more = len(skus) - _NAMED
    return ", ".join(skus[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def beats_the_base_rate(chance: Floats, dataset: Dataset) -> Condition:
    """Ask for a log loss 0.001 nats below that of each product's share of purchases in training."""
    ours, theirs = (
        log_loss(chance, dataset.holdout),
        log_loss(base_rates(dataset.training, dataset.holdout), dataset.holdout),
    )
    finding = f"log loss {ours:.4f} against {theirs:.4f}, at least {_BETTER_WANTED} less wanted"
    return Condition("better than each product's base rate", ours <= theirs - _BETTER_WANTED, finding)
