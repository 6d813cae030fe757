"""Estimate each product's response to exported prices, and decide for all of them together which are told.

Exported prices were not randomised: stores differ, weeks differ, and prices are set by people who know both. A response
is told when

- both the estimate and the strict one exclude no response, corrected for all products looked at (Holm, "A simple
  sequentially rejective multiple test procedure", Scandinavian Journal of Statistics, 1979);
- the two do not differ by more than the error of their difference;
- it survives the tests of what a price cannot have caused.

What must hold beside: within what the strict estimate compares, no cause moved the price and this product's sales
alone. No data can prove that. Tests can refute a response, and not confirm it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from catalog.arrays import Flags
from features.response import PriceResponse, VerdictWord
from own_data.price_response.observations import Observations, numbered, observations_of
from own_data.price_response.placebo import PlaceboShelf, failed_test, scatter_at_low_prices
from own_data.price_response.regression import Fitted
from own_data.price_response.specification import naive, strict, with_effects
from own_data.price_response.usual_price import departures

_LEAST_OF_EACH = 30  # purchases, and visits without one
_OFTEN_UNKNOWN, _UNKNOWN_COUNTS = 0.5, 0.02  # share of days without a sale, and of all, whose price is not known
_LEAST_CLUSTERS = 20  # below, robust errors are too small
_DISAGREE = 1.96  # standard errors of a difference
_SAME = 0.1  # of the strict estimate: two that differ by less make the same price
_SURE = 3e-5  # one-sided: the difference is somewhat skewed, and ten products sum that up
_FAMILY_LEVEL = 0.02  # two-sided, so one log in a hundred tells of a response that is not there


@dataclass(frozen=True)
class _Found:
    """One product's fits, and why it cannot be told whatever the others say; `why` is None while nothing speaks.

    `scatter` is how much more its weeks at low prices differ from each other, in standard errors.
    """

    sku: str
    own: Observations | None
    fits: tuple[Fitted | None, Fitted | None, Fitted | None] = (None, None, None)
    verdict: VerdictWord = "told"
    why: str | None = None
    scatter: float = 0.0

    @property
    def p_value(self) -> float:
        """The larger p-value of the two estimates; 1 without them."""
        _, estimate, within = self.fits
        return 1.0 if estimate is None or within is None else max(estimate.p_value, within.p_value)


def price_responses(cells: pd.DataFrame, skus: Sequence[str], country: str | None = None) -> tuple[PriceResponse, ...]:
    """Estimate the response of each product, and decide which are told.

    Parameters
    ----------
    cells
        Exported sales as `own_data.exported.exported_cells` returns them.
    skus
        Products to estimate; one that is not in the cells has no decisions.
    country
        Whose public holidays count, ISO 3166-1 with two letters; None for none.
    """
    rows = numbered(cells) if len(cells) else cells
    shelves = {bool(kind): PlaceboShelf.of(part) for kind, part in rows.groupby("is_count")} if len(cells) else {}
    own = dict(iter(rows.groupby("sku", observed=True))) if len(cells) else {}
    found = _without_hidden_offers([_estimate(sku, own.get(sku), shelves, country) for sku in skus])
    looked_at = sum(one.own is not None for one in found)
    sure = _are_sure(found, looked_at)
    return tuple(_response(one, looked_at, is_sure=is_sure) for one, is_sure in zip(found, sure, strict=True))


def _estimate(sku: str, frame: pd.DataFrame | None, shelves: dict[bool, PlaceboShelf], country: str | None) -> _Found:
    if frame is None:
        return _Found(sku, None, verdict="too thin", why="there are no sales")
    everything = observations_of(_larger_kind(frame))
    away = departures(everything)
    own = everything.kept(~everything.on_promotion & ~away)
    thin = _too_thin(own, everything)
    if thin:
        return _Found(sku, own, verdict="too thin", why=thin)
    plain = with_effects(own, country)
    within = strict(plain)
    fits = naive(own), plain.fit(), within.fit()
    if fits[1] is None or fits[2] is None:
        return _Found(sku, own, fits, "too confounded", _nothing_left(everything, away))
    n_clusters = len(fits[2].by[0].changes)
    if n_clusters < _LEAST_CLUSTERS:
        few = f"its price changes in {n_clusters} quarters of stores, at least {_LEAST_CLUSTERS} wanted"
        return _Found(sku, own, fits, "too thin", few)
    confounded = _disagreement(fits[1], fits[2]) or failed_test(within, fits[2].estimate, shelves[own.is_count])
    if confounded:
        return _Found(sku, own, fits, "too confounded", confounded)
    return _Found(sku, own, fits, scatter=scatter_at_low_prices(within))


def _without_hidden_offers(found: list[_Found]) -> list[_Found]:
    """Refuse products whose weeks at low prices differ by more than chance, tested for all of them together.

    One product alone hardly shows it; a chain that has leaflets has them for many. So where all together show it, each
    that points that way is refused.
    """
    told = [own.scatter for own in found if own.why is None]
    if not told or ndtr(-np.sum(told) / np.sqrt(len(told))) > _SURE:
        return found
    why = "weeks at low prices differ from each other by more than chance: offers do more than their price"
    is_odd = [own.why is None and own.scatter > 0 for own in found]
    return [
        replace(own, verdict="too confounded", why=why) if odd else own for own, odd in zip(found, is_odd, strict=True)
    ]


def _larger_kind(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the visits or the counts, whichever hold more sales: their slopes are not the same."""
    sold = frame.groupby("is_count")["n_purchased"].sum()
    return frame[frame["is_count"] == sold.idxmax()]


def _too_thin(own: Observations, everything: Observations) -> str | None:
    if np.ptp(everything.log_price) == 0:
        return "its price never varied"
    if not len(own.log_price) or np.ptp(own.log_price) == 0:
        return "its price only varied on promotion, and promotions sell by more than their price"
    purchases, refusals = own.bought.sum(), (own.offered - own.bought).sum()
    among_zeros, among_all = own.days_without_price
    if own.is_count and among_zeros > _OFTEN_UNKNOWN and among_all > _UNKNOWN_COUNTS:
        return f"on {among_all:.0%} of its days nothing sold at a price that the receipts do not show"
    if own.is_count:
        few = f"{purchases:.0f} units" if purchases < _LEAST_OF_EACH else None
    else:
        few = (
            f"{purchases:.0f} purchases and {refusals:.0f} refusals"
            if min(purchases, refusals) < _LEAST_OF_EACH
            else None
        )
    return few and f"{few}, at least {_LEAST_OF_EACH} {'' if own.is_count else 'of each '}wanted"


def _nothing_left(everything: Observations, away: Flags) -> str:
    if away.any() or everything.on_promotion.any():
        return "apart from promotions its price hardly varies within a store and season"
    return "within a store and month, and beside the other stores on the day, its price hardly varies"


def _disagreement(estimate: Fitted, within: Fitted) -> str | None:
    error = estimate.error_of_difference(within)
    if abs(estimate.estimate - within.estimate) > _DISAGREE * error and not _nearly_same(estimate, within):
        return f"{estimate.estimate:.2f} within store and month, {within.estimate:.2f} beside other stores on the day"
    return "dearer seems to sell more, so something else moves both" if estimate.slope.lower > 0 else None


def _nearly_same(estimate: Fitted, within: Fitted) -> bool:
    """Tell whether two estimates differ by less than matters for a price."""
    return abs(estimate.estimate - within.estimate) < _SAME * abs(within.estimate)


def _are_sure(found: Sequence[_Found], looked_at: int) -> list[bool]:
    """Tell for which products no response is excluded, by Holm's correction over all that were looked at."""
    p_values = np.array([own.p_value for own in found])
    sure = np.zeros(len(found), dtype=bool)
    for rank, place in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[place] > _FAMILY_LEVEL / max(1, looked_at - rank):
            break
        sure[place] = True
    return sure.tolist()


def _response(found: _Found, looked_at: int, *, is_sure: bool) -> PriceResponse:
    naive_slope, estimate, within = (fit.slope if fit else None for fit in found.fits)
    own = found.own
    verdict, why = found.verdict, found.why
    if verdict == "told":
        lowest = min(slope.lower for slope in (estimate, within) if slope)
        highest = max(slope.upper for slope in (estimate, within) if slope)
        if highest >= 0:
            verdict, why = "too thin", f"no response is possible too: from {lowest:.2f} to {highest:.2f}"
        elif not is_sure:
            verdict = "too thin"
            why = f"from {lowest:.2f} to {highest:.2f} is not sure enough among {looked_at} products looked at"
        else:
            why = "sales fall with the price, and nothing else was found that explains it"
    decisions, purchases = (0, 0) if own is None else (int(own.offered.sum()), int(own.bought.sum()))
    is_count = own is not None and own.is_count
    return PriceResponse(found.sku, decisions, purchases, naive_slope, estimate, within, verdict, why or "", is_count)
