"""The gate's conditions, each a pure function: what is asked, whether it is met, and what was found of which limit.

Limits that chance could break on few decisions allow for it: two standard errors of what a perfect model would show.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.calibration import calibration_error
from catalog.gate import EARNS_MORE, EARNS_MORE_THAN_BASE, PRICE_RESPONSE_IS_TOLD, SAW_THE_ROLLBACK
from features.price_response import PriceResponse, told_skus
from training.candidates import FittedModel
from training.dataset import Dataset
from training.judge import (
    NEARLY_SURE,
    base_rates,
    calibration_luck,
    log_loss,
    losses,
    reliability_slope,
)
from training.off_policy import OffPolicyEstimate

_KNOWN_FEATURES = ("price_offered", "price_ratio", "inventory_level")
_PRICE_STEP = 1.1  # the sign test raises each price by a tenth
_RISE_ALLOWED = 1e-9
_CALIBRATION_ALLOWED = 0.05
_OFFSET_ALLOWED = 0.03  # mean prediction against mean purchases
_SLOPES_ALLOWED = (0.7, 1.4)  # of observed on predicted log odds; below 1 is overconfident
_REGRESSION_ALLOWED = 0.01  # nats per decision, for each product
_TOLERATED_LOSS = 0.001  # nats per decision, over all products: within this two models are as good
_LEAST_EVIDENCE = 50.0  # effective visits without which an interval is not believed
_LEAST_SUPPORT = 0.8  # share of the visits without which the gain would be the model's own word
_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Condition:
    """One condition, whether it is met, and what was found."""

    name: str
    met: bool
    found: str


def sees_only_what_is_known(challenger: FittedModel, dataset: Dataset) -> Condition:
    """Refuse features that nobody knows when a price is set, such as what the shopper would pay or did."""
    unknown = [name for name in challenger.features if name not in {*_KNOWN_FEATURES, *dataset.one_hot}]
    found = f"it sees {', '.join(unknown)}" if unknown else f"{len(challenger.features)} features of price and shelf"
    return Condition("sees only what is known when pricing", not unknown, found)


def every_product_was_seen(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    """Ask for decisions about every product that is to be priced."""
    missing = sorted(set(skus) - set(dataset.training["sku"]))
    found = f"no decisions about {', '.join(missing)}" if missing else f"decisions about all {len(skus)} products"
    return Condition("every product was seen", not missing, found)


def every_price_varied(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    """Ask for at least two prices per product: one price teaches nothing."""
    prices = dataset.training.groupby("sku")["price_offered"].nunique()
    constant = [sku for sku in skus if prices.get(sku, 0) == 1]
    found = f"one price only for {', '.join(constant)}" if constant else f"at least {prices.min()} prices per product"
    return Condition("every price varied", not constant, found)


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
    found = "for no product"
    if rising:
        found = (
            f"for {', '.join(rising)}; worst {holdout['sku'].iloc[worst]} at "
            f"{holdout['price_offered'].iloc[worst]:.2f}, by {rise[worst]:.3f}"
        )
    return Condition("a price 10 % higher never sells more", not rising, found if not rising else f"it does, {found}")


def is_calibrated(chance: Floats, holdout: pd.DataFrame) -> Condition:
    """Ask for a calibration error of at most 0.05 beyond what luck alone would show for a perfect model."""
    luck = calibration_luck(chance, holdout)
    error, limit = calibration_error(chance, holdout), _CALIBRATION_ALLOWED + luck
    found = f"calibration error {error:.4f} of at most {limit:.4f}, of which {luck:.4f} is luck"
    return Condition("is calibrated", error <= limit, found)


def is_reliable(chance: Floats, holdout: pd.DataFrame) -> Condition:
    """Ask that purchases rise with the log odds as predicted, and that on average as many buy as predicted.

    It is refused when two standard errors around the slope miss what is allowed.
    """
    offered, bought = (holdout[name].to_numpy().astype(float) for name in ("n_offered", "n_purchased"))
    offset = float(((chance * offered).sum() - bought.sum()) / offered.sum())
    luck = _STANDARD_ERRORS * float(np.sqrt((chance * (1 - chance) * offered).sum()) / offered.sum())
    slope, error = reliability_slope(chance, holdout)
    lowest, highest = _SLOPES_ALLOWED
    met_slope = slope + _STANDARD_ERRORS * error >= lowest and slope - _STANDARD_ERRORS * error <= highest
    met_offset = abs(offset) <= _OFFSET_ALLOWED + luck
    found = (
        f"slope {slope:.2f} +/- {_STANDARD_ERRORS * error:.2f} of {lowest} to {highest}, mean chance {offset:+.4f} off "
        f"of at most {_OFFSET_ALLOWED + luck:.4f}"
    )
    return Condition("is reliable", met_slope and met_offset, found)


def price_response_is_told(responses: Sequence[PriceResponse]) -> Condition:
    """Ask of prices that somebody else set that for some product their effect is told from that of store and season.

    It stands in for the estimate in money, which wants prices that were drawn by lot.
    """
    told = told_skus(responses)
    others: dict[str, list[str]] = {}
    for response in responses:
        if response.sku not in told:
            others.setdefault(response.verdict, []).append(response.sku)
    keep = "; ".join(f"{verdict}: {', '.join(skus)}" for verdict, skus in others.items())
    found = f"for {', '.join(told) or 'no product'}" + (f"; base prices for what is {keep}" if others else "")
    return Condition(PRICE_RESPONSE_IS_TOLD, bool(told), found)


def not_worse_than_the_base_rate(chance: Floats, dataset: Dataset) -> Condition:
    """Ask for a log loss not above that of each product's share of purchases in training.

    Where few buy, even a sure response to prices makes a log loss hardly better; whether there is one is asked apart.
    """
    ours, theirs = (
        log_loss(chance, dataset.holdout),
        log_loss(base_rates(dataset.training, dataset.holdout), dataset.holdout),
    )
    return Condition(
        "not worse than each product's base rate", ours <= theirs, f"log loss {ours:.5f} against {theirs:.5f}"
    )


def beats_the_base_rate(chance: Floats, dataset: Dataset) -> Condition:
    """Ask for a log loss 0.001 nats below that of each product's share of purchases in training."""
    ours, theirs = (
        log_loss(chance, dataset.holdout),
        log_loss(base_rates(dataset.training, dataset.holdout), dataset.holdout),
    )
    found = f"log loss {ours:.4f} against {theirs:.4f}, at least {_TOLERATED_LOSS} less wanted"
    return Condition("better than each product's base rate", ours <= theirs - _TOLERATED_LOSS, found)


def no_product_regresses(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Condition:
    """Ask that no product's held-out log loss is surely more than 0.01 nats above the champion's."""
    more = losses(chance, holdout) - losses(champion, holdout)
    frame = pd.DataFrame({"sku": holdout["sku"].to_numpy(), "offered": holdout["n_offered"].to_numpy()})
    frame["more"], frame["variance"] = more, _luck_of_difference(chance, champion, holdout)
    sums = frame.groupby("sku")[["offered", "more", "variance"]].sum()
    mean = sums["more"] / sums["offered"]
    luck = _STANDARD_ERRORS * np.sqrt(sums["variance"]) / sums["offered"]
    worst = str((mean - luck).idxmax())
    found = (
        f"worst {worst}: log loss {mean[worst]:+.4f} against the champion's, of at most "
        f"{_REGRESSION_ALLOWED + luck[worst]:.4f}, of which {luck[worst]:.4f} is luck"
    )
    return Condition("no product regresses", bool((mean - luck)[worst] <= _REGRESSION_ALLOWED), found)


def is_not_worse(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Condition:
    """Compare the log loss over all products with the champion's."""
    ours, theirs = log_loss(chance, holdout), log_loss(champion, holdout)
    found = f"log loss {ours:.4f} against {theirs:.4f}, {_TOLERATED_LOSS} tolerated"
    return Condition("not worse than the champion", ours <= theirs + _TOLERATED_LOSS, found)


def age_of(
    trained_through: dt.date | None,
    judged_through: dt.date,
    stale_after_days: int,
    drifted_since: dt.date | None = None,
    rolled_back_on: dt.date | None = None,
) -> Condition:
    """Tell whether a champion is stale, or shoppers no longer answer prices as it says.

    One that was gone back to is old on purpose: its days count from then, and so do changes of demand.
    """
    if drifted_since is not None and (rolled_back_on is None or drifted_since >= rolled_back_on):
        found = f"shoppers answer prices otherwise than the champion says since {drifted_since}"
        return Condition("the champion no longer holds", met=True, found=found)
    if rolled_back_on is not None and (trained_through is None or trained_through < rolled_back_on):
        days = (judged_through - rolled_back_on).days
        found = f"the champion was gone back to for {rolled_back_on}, stale {stale_after_days} days after that"
        return Condition("the champion is stale", days > stale_after_days, found)
    if trained_through is None:
        return Condition("the champion is stale", met=True, found="champion of unknown age")
    days = (judged_through - trained_through).days
    found = f"the champion has not seen the last {days} days, stale after {stale_after_days}"
    return Condition("the champion is stale", days > stale_after_days, found)


def earns_more(money: OffPolicyEstimate | None) -> Condition:
    """Ask, where there is no champion, for a gain over the base prices that is above zero at its lower end."""
    return Condition(EARNS_MORE_THAN_BASE, money is not None and _is_shown(money), _gain_found(money))


def earns_more_or_replaces(money: OffPolicyEstimate | None, not_worse: Condition, age: Condition) -> Condition:
    """Ask for a gain over the champion, or that the champion is stale or drifted and the challenger is not worse."""
    shown = money is not None and _is_shown(money)
    takes_over = money is not None and money.dr.upper >= 0 and not_worse.met and age.met
    return Condition(EARNS_MORE, shown or takes_over, "; ".join([_gain_found(money), not_worse.found, age.found]))


def saw_the_rollback(judged_through: dt.date, rolled_back_on: dt.date) -> Condition:
    """Ask for decisions of the days since a rollback, so that the same evidence does not bring its twin straight back.

    `rolled_back_on` is the first business date that the champion before was to price again.
    """
    found = f"judged through {judged_through}, rolled back for {rolled_back_on}"
    return Condition(SAW_THE_ROLLBACK, judged_through >= rolled_back_on, found)


def _is_shown(money: OffPolicyEstimate) -> bool:
    believed = money.effective_sample_size >= _LEAST_EVIDENCE and money.supported >= _LEAST_SUPPORT
    return believed and money.dr.lower > 0


def _gain_found(money: OffPolicyEstimate | None) -> str:
    if money is None:
        return "no estimate: its price book cannot be made, or no held-out visit met stock"
    gain = money.dr
    found = f"gain {gain.estimate:+.2f} EUR per store day, 95 % from {gain.lower:+.2f} to {gain.upper:+.2f}"
    if money.warning is not None and gain.lower > 0 and not _is_shown(money):
        return f"{found}, not believed: {money.warning}"
    return found if money.warning is None else f"{found} ({money.warning})"


def _luck_of_difference(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Floats:
    """Variance of each cell's summed difference in loss when purchases come as the champion says, shape (n_cells,)."""
    ours, theirs = (np.clip(p, NEARLY_SURE, 1 - NEARLY_SURE) for p in (chance, champion))
    swing = np.log(theirs / (1 - theirs)) - np.log(ours / (1 - ours))
    return holdout["n_offered"].to_numpy() * theirs * (1 - theirs) * swing**2
