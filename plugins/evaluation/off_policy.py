"""What a challenger's prices would have earned more than the incumbent's, estimated from logged visits alone.

A visit's reward is (price - value of a unit kept) x purchased, with the same unit value for both: by the performance
difference lemma (Kakade and Langford, "Approximately optimal approximate reinforcement learning", ICML 2002) the
incumbent's advantage per visit is, to first order, what a day gains. Three estimators, from the same visits:

- `ips`, inverse propensity: visits that were shown the price count 1 / propensity times.
- `snips`, self-normalised: the same, divided by the weights' sum (Swaminathan and Joachims, NeurIPS 2015).
- `dr`, doubly robust: the demand model's answer, corrected by its error where the log shows it (Dudik, Langford and
  Li, "Doubly robust policy evaluation and learning", ICML 2011). The challenger's error is averaged over the
  candidates next to its price, since a model's error hardly changes between neighbours (Kallus and Zhou, "Policy
  evaluation and optimization with continuous treatments", AISTATS 2018): five times the evidence of one candidate.

What must hold: the days are later than the challenger's training, and the propensities are true.
"""

from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import numpy as np
from scipy.special import stdtrit

from catalog.arrays import Flags, Floats, Ints, rows_of_each
from catalog.currency import EUR, Currency
from catalog.hooks import SecondOpinion
from catalog.load import Catalog
from plugins.evaluation.logged_visits import LoggedVisits, logged_visits
from plugins.evaluation.truth import is_known, true_chances_at, true_gain_of_rivals
from serving.optimise.policies import costs_that_count
from training.fit.dataset import Dataset
from training.judge.believed_gain import RivalBooks
from warehouse.workspace import Workspace

_REACH = 2  # candidates on each side of the challenger's price whose errors count
_LOW_SAMPLE = 100.0  # effective visits
_SUPPORT_WANTED = 0.95  # share of the visits
_LEVEL = 0.975


@dataclass(frozen=True)
class LoggedEvidence:
    """Logged visits as the estimators need them, arrays of shape (n_visits,).

    Attributes
    ----------
    product
        Position on the shelf.
    price, propensity
        Price shown, EUR, and the chance with which it was shown.
    purchased
        1 where a unit was bought, else 0.
    unit_value
        Value of a unit kept, EUR, the same for every policy.
    p_sale
        The demand model's chance of sale at the price shown.
    dice
        Number of the throw that decided the price: visits of one throw are one cluster.
    n_store_days
        Store days they come from.
    candidates
        Candidate prices of each product, EUR, ascending, shape (n_products, n_prices).
    smallest
        The smallest difference between two prices: one unit of the currency's last digit.
    """

    product: Ints
    price: Floats
    propensity: Floats
    purchased: Floats
    unit_value: Floats
    p_sale: Floats
    dice: Ints
    n_store_days: int
    candidates: Floats
    smallest: float = EUR.smallest


@dataclass(frozen=True)
class Shown:
    """What a policy would show: prices, EUR, and the demand model's chance of sale there, shape (n_visits,)."""

    price: Floats
    p_sale: Floats


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval, EUR per store day."""

    estimate: float
    lower: float
    upper: float

    def told(self, money: Currency) -> str:
        """Say the estimate and its interval, with the currency."""
        ends = f"95 % from {money.format_difference(self.lower)} to {money.format_difference(self.upper)}"
        return f"{money.format_difference(self.estimate)} per store day, {ends}"


@dataclass(frozen=True)
class OffPolicyEstimate:
    """The challenger's gain over the incumbent.

    Attributes
    ----------
    ips, snips, dr
        The gain by each estimator, EUR per store day.
    truth
        The true gain on the same visits, EUR per store day, where it is known.
    n_visits, n_differ
        Visits with stock, and those of them where the two show different prices.
    effective_sample_size
        (sum w)^2 / sum w^2 of the doubly robust weights where prices differ, visits.
    supported
        Share of those visits whose price, or one next to it, was shown for the product at all.
    """

    ips: Interval
    snips: Interval
    dr: Interval
    truth: float | None
    n_visits: int
    n_differ: int
    effective_sample_size: float
    supported: float

    @property
    def shows_a_loss(self) -> bool:
        """Whether the log overlaps well with the challenger's prices and surely shows a loss."""
        return self.warning is None and self.dr.upper < 0

    def in_words(self, money: Currency) -> str:
        """Return the estimate in a sentence, how much evidence there is, and the warning where it is poor."""
        evidence = (
            f"By logged visits {self.dr.told(money)}: {self.n_differ:,} of {self.n_visits:,} held-out visits would see "
            f"another price, {self.effective_sample_size:,.0f} effective"
        )
        truth = None if self.truth is None else f"the truth on these visits is {money.format_difference(self.truth)}"
        return "; ".join(filter(None, (evidence, truth, self.warning)))

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain values, the warning included; an interval without end ends in None."""
        record: dict[str, Any] = asdict(self)
        for estimator in ("ips", "snips", "dr"):
            ends = record[estimator].items()
            record[estimator] = {name: value if np.isfinite(value) else None for name, value in ends}
        return record | {"warning": self.warning}

    @property
    def warning(self) -> str | None:
        """What makes the estimate untrustworthy, or None where the log overlaps well with the challenger's prices."""
        if self.n_differ == 0:
            return None
        poor = []
        if self.effective_sample_size < _LOW_SAMPLE:
            poor.append(f"{self.effective_sample_size:.0f} effective visits of at least {_LOW_SAMPLE:.0f}")
        if self.supported < _SUPPORT_WANTED:
            poor.append(f"{self.supported:.0%} of the visits supported of at least {_SUPPORT_WANTED:.0%}")
        return f"poor overlap with the log: {', '.join(poor)}; try more prices" if poor else None


def opinion_of_the_log(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, dataset: Dataset, rivals: RivalBooks
) -> SecondOpinion | None:
    """Estimate from the held-out visits what the challenger's prices gain; a sure loss is a veto.

    Where the twin made the decisions, its truth stands beside the estimate. Implements `catalog.hooks.Veto`.
    """
    catalog, n_decisions = workspace.catalog, int(dataset.holdout["n_offered"].sum())
    visits = logged_visits(connection, catalog, dataset.trained_through, dataset.judged_through, n_decisions)
    if not len(visits.day):
        return None
    estimate = gain_on(catalog, visits, rivals, is_known=is_known(workspace))
    figures = estimate.as_record()
    if is_known(workspace):
        figures["true_gain"] = true_gain_of_rivals(catalog, rivals)
    veto = "logged visits show a loss" if estimate.shows_a_loss else None
    return SecondOpinion("off_policy", veto, estimate.in_words(catalog.store.money), figures)


def gain_on(catalog: Catalog, visits: LoggedVisits, rivals: RivalBooks, *, is_known: bool) -> OffPolicyEstimate:
    """Estimate on given visits what the challenger's book gains over the other one.

    The value of a unit kept comes from the incumbent's book, or where base prices stand from the challenger's; where
    margin is the objective, its cost is added.
    """
    (knowledge, without), (book, usual) = rivals.known, rivals.books
    state = visits.product, visits.stock, np.maximum(1, catalog.store.opening.ticks - visits.tick)
    price, theirs = (shown.at(*state).prices for shown in (book, usual))
    kept = np.nan_to_num((book if without is None else usual).at(*state).unit_value)  # NaN: its policy values no stock
    truth = (true_chances_at(catalog, visits, price), true_chances_at(catalog, visits, theirs)) if is_known else None
    p_sale = knowledge.curves.p_sale_at
    log = LoggedEvidence(
        product=visits.product,
        price=visits.price,
        propensity=visits.propensity,
        purchased=visits.purchased.astype(float),
        unit_value=kept + costs_that_count(catalog)[visits.product],
        p_sale=p_sale(visits.product, visits.price),
        dice=visits.dice,
        n_store_days=visits.n_store_days,
        candidates=knowledge.curves.prices,
        smallest=catalog.store.money.smallest,
    )
    shown, usual_shown = (Shown(prices, p_sale(visits.product, prices)) for prices in (price, theirs))
    return estimate_gain(log, shown, usual_shown, truth)


def estimate_gain(
    log: LoggedEvidence, challenger: Shown, incumbent: Shown, true_p_sale: tuple[Floats, Floats] | None = None
) -> OffPolicyEstimate:
    """Estimate what the challenger gains over the incumbent, each visit paired with itself.

    Parameters
    ----------
    true_p_sale
        True chance of sale at the challenger's and the incumbent's price, where it is known.
    """
    differ = np.abs(challenger.price - incumbent.price) > log.smallest / 2
    exact = _are_equal(log.price, challenger.price, log.smallest) / log.propensity * differ
    near = _near(log, challenger.price) / log.propensity * differ
    theirs = _are_equal(log.price, incumbent.price, log.smallest) / log.propensity * differ
    margin = log.price - log.unit_value
    reward = margin * log.purchased
    modelled = (challenger.price - log.unit_value) * challenger.p_sale
    modelled -= (incumbent.price - log.unit_value) * incumbent.p_sale
    error = margin * (log.purchased - log.p_sale)
    truth = None
    if true_p_sale is not None:
        gained = (challenger.price - log.unit_value) * true_p_sale[0]
        gained -= (incumbent.price - log.unit_value) * true_p_sale[1]
        truth = float(gained.sum() / log.n_store_days)
    return OffPolicyEstimate(
        ips=_interval((exact - theirs) * (reward if exact.any() or not differ.any() else np.nan), log),
        snips=_interval(_self_normalised(exact, reward, differ) - _self_normalised(theirs, reward, differ), log),
        dr=_interval(modelled * differ + (near - theirs) * error, log),
        truth=truth,
        n_visits=len(differ),
        n_differ=int(differ.sum()),
        effective_sample_size=float(near.sum() ** 2 / (near**2).sum()) if near.any() else 0.0,
        supported=_supported(log, challenger.price, near, differ),
    )


def _are_equal(price: Floats, other: Floats, smallest: float) -> Flags:
    """Tell which prices are the same number of smallest units, though decimals are kept as binary."""
    return np.abs(price - other) < smallest / 2


def _near(log: LoggedEvidence, price: Floats) -> Floats:
    """Chance of the shown price when the target shows each candidate near `price` equally often, shape (n_visits,)."""
    chance = np.zeros(len(price))
    for rows, ladder in zip(rows_of_each(log.product, len(log.candidates)), log.candidates, strict=True):
        candidates = np.unique(ladder)
        reach = _REACH * (candidates[-1] - candidates[0]) / max(1, len(ladder) - 1) + log.smallest
        first = np.searchsorted(candidates, price[rows] - reach)
        last = np.searchsorted(candidates, price[rows] + reach, side="right")
        shown = np.searchsorted(candidates - log.smallest / 2, log.price[rows]) - 1  # the candidate at or below
        is_candidate = _are_equal(log.price[rows], candidates[np.maximum(shown, 0)], log.smallest)
        counted = is_candidate & (shown >= first) & (shown < last)
        chance[rows] = counted / np.maximum(1, last - first)
    return chance


def _self_normalised(weight: Floats, reward: Floats, differ: Flags) -> Floats:
    """Contributions of visits to the self-normalised sum: its value shared out, and its linearised deviations."""
    if not weight.any():
        return np.where(differ, np.nan, 0.0)
    value = (weight * reward).sum() / weight.sum()
    return differ * value + weight * (reward - value) * differ.sum() / weight.sum()


def _interval(gains: Floats, log: LoggedEvidence) -> Interval:
    """Sum of the visits' contributions per store day, with an interval that treats each throw as one piece of evidence.

    Few heavy clusters make a variance unsure, so the t quantile takes as degrees of freedom how many clusters there
    are in effect, (sum u^2)^2 / sum u^4 (after Carter, Schnepel and Steigerwald, "Asymptotic behavior of a t-test
    robust to cluster heterogeneity", Review of Economics and Statistics, 2017).
    """
    squares = np.bincount(log.dice, gains - gains.mean()) ** 2
    total, n_clusters = squares.sum(), len(squares)
    if n_clusters < 2 or np.isnan(total):  # noqa: PLR2004 - one cluster has no spread, and no weight no value
        return Interval(float(gains.sum() / log.n_store_days), -np.inf, np.inf)
    in_effect = total**2 / (squares**2).sum() if total > 0 else np.inf
    error = np.sqrt(total * n_clusters / (n_clusters - 1))
    half = stdtrit(max(1.0, in_effect), _LEVEL) * error if total > 0 else 0.0
    low, mid, high = (gains.sum() + np.array([-half, 0.0, half])) / log.n_store_days
    return Interval(float(mid), float(low), float(high))


def _supported(log: LoggedEvidence, price: Floats, near: Floats, differ: Flags) -> float:
    """Share of the visits with different prices whose (product, price) any weight speaks for."""
    if not differ.any():
        return 1.0
    units = np.round(price / log.smallest).astype(np.int64)
    states, state = np.unique(log.product * (units.max() + 1) + units, return_inverse=True)
    spoken_for = np.bincount(state, near, minlength=len(states)) > 0
    return float(spoken_for[state][differ].mean())
