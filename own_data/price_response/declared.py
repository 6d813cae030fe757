"""What an owner's own experiment tells: prices that a file says were drawn, judged by that draw alone.

The declaration is checked first, see `serving.counts.design_checks`: where the data refute it, its product is read as
an ordinary log. What passes needs no other store, no search for promotions that a file hides, and no least number of
stores; see `serving.counts.design_analysis`.

What must hold: all of a unit had one price, and nothing that knew what would sell had a hand in the draw. A day is the
shortest unit, for sales are counted by the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.response import PriceResponse, Slope, VerdictWord
from own_data.price_response.calendar import MONDAY
from serving.counts.design_analysis import LEVEL, CoinRows, CoinSlope, coin_slopes
from serving.counts.design_checks import checked_declaration

_SAME = 1e-6  # EUR
_MOST_UNKNOWN = 0.02  # share of days without a declared price
_Z = 1.96


class NotAsDeclaredError(Exception):
    """Why a declared draw cannot be analysed, in words; its product is read as an ordinary log."""


@dataclass(frozen=True)
class DeclaredResponses:
    """What declared draws tell.

    Attributes
    ----------
    told
        The response of each product whose draw was analysed, by sku.
    refuted
        Why the draw of each other declared product was not believed, by sku.
    """

    told: Mapping[str, PriceResponse]
    refuted: Mapping[str, str]


def declared_responses(days: pd.DataFrame) -> DeclaredResponses:
    """Check each declared draw, and analyse those that pass; told responses are corrected for their number (Holm).

    Parameters
    ----------
    days
        As `own_data/queries/drawn_by_owner.sql` returns them.
    """
    rows, refuted = dict[str, CoinRows](), dict[str, str]()
    is_declared = _is_drawn(days).groupby(days["sku"]).transform("any")
    for sku, own in days[is_declared].groupby("sku", sort=True):
        try:
            rows[str(sku)] = _checked(coin_rows(own))
        except NotAsDeclaredError as error:
            refuted[str(sku)] = str(error)
    slopes = coin_slopes(list(rows.values()))
    told = {sku: _response(sku, rows[sku], own, len(rows)) for (sku, own) in zip(rows, slopes, strict=True)}
    return DeclaredResponses(told, refuted)


def with_refuted(responses: Sequence[PriceResponse], refuted: Mapping[str, str]) -> list[PriceResponse]:
    """Return what ordinary logs tell, and why a declared draw does not count."""
    return [_as_log(own, refuted[own.sku]) if own.sku in refuted else own for own in responses]


def _as_log(own: PriceResponse, why_not: str) -> PriceResponse:
    return replace(own, by="refuted design", why=f"its declared draw does not count ({why_not}); as a log: {own.why}")


def coin_rows(days: pd.DataFrame) -> CoinRows:
    """Return one product's declared days as a coin: a row for each store and unit, with the two prices it was among.

    Without a `unit` in the file, a store week is one where no price changes within any, and else a store day.

    Raises
    ------
    NotAsDeclaredError
        When a unit has several prices, or a store has more than two.
    """
    week = (days["business_date"].to_numpy().astype("datetime64[D]") - np.datetime64(MONDAY, "D")).astype(int) // 7
    days = days.assign(date=days["business_date"].to_numpy().astype("datetime64[D]"), week=week)
    drawn = days[_is_drawn(days)]
    _refuse_several(drawn, ["store_id", "date"], "a store day")
    unit, shared = _units(drawn)
    drawn = drawn.assign(unit=unit)
    low, high = _sides(drawn)
    drawn = drawn.assign(low=low, high=high, is_high=drawn["price"] > (low + high) / 2)
    drawn = drawn[high - low > _SAME]
    if drawn.empty:
        raise NotAsDeclaredError("each store had one price")
    if (drawn.groupby("unit")["is_high"].nunique() > 1).any():
        raise NotAsDeclaredError("a unit of its draw has both prices")
    _refuse_unknown(days, drawn, shared)
    return _rows(days, drawn, shared)


def _is_drawn(days: pd.DataFrame) -> pd.Series:
    """Flag the rows whose price was drawn among others."""
    return (days["propensity"] > 0) & (days["propensity"] < 1)


def _units(drawn: pd.DataFrame) -> tuple[pd.Series, str | None]:
    """Return the name of each row's unit, and the column that it shares with undeclared days beside the store."""
    if drawn["unit"].notna().all():
        return drawn["unit"].astype(str), None
    by_week = drawn.groupby(["store_id", "week"])
    is_weekly = bool((by_week["price"].nunique() == 1).all() and (by_week["date"].nunique() > 1).any())
    shared = "week" if is_weekly else "date"
    return drawn["store_id"].astype(str) + "/" + drawn[shared].astype(str), shared


def _sides(drawn: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return the two prices that each row was drawn among, EUR: those of its store, or of its store and block."""
    for keys in (["store_id"], ["store_id", "block"]):
        prices = drawn.groupby(keys, dropna=False)["price"]
        if prices.nunique().max() <= 2:  # noqa: PLR2004 - a coin has two sides
            return prices.transform("min"), prices.transform("max")
    most = drawn.groupby("store_id")["price"].nunique().max()
    raise NotAsDeclaredError(f"two drawn prices of a store were expected, or of its blocks, and {most} were found")


def _refuse_several(drawn: pd.DataFrame, keys: list[str], of: str) -> None:
    if (drawn.groupby(keys)["price"].nunique() > 1).any():
        raise NotAsDeclaredError(f"{of} has several drawn prices")


def _refuse_unknown(days: pd.DataFrame, drawn: pd.DataFrame, shared: str | None) -> None:
    """Refuse draws where too many days without a sale do not say which price stood, as in a list of receipts."""
    unsold = days[days["propensity"].isna() & (days["units"] == 0)]
    if shared == "week":
        unsold = unsold.merge(drawn[["store_id", "week"]].drop_duplicates(), how="left", indicator=True)
        unsold = unsold[unsold["_merge"] == "left_only"]
    count = len(unsold[["store_id", "date"]].drop_duplicates())
    share = count / (count + len(drawn[["store_id", "date"]].drop_duplicates()))
    if share > _MOST_UNKNOWN:
        raise NotAsDeclaredError(f"on {share:.0%} of its days nothing sold, at a price that the file does not show")


def _rows(days: pd.DataFrame, drawn: pd.DataFrame, shared: str | None) -> CoinRows:
    """Sum a unit's days in each store; the days that it was open are its exposure."""
    found = drawn.groupby(["unit", "store_id"], sort=True).agg(
        first=("date", "min"),
        week=("week", "first"),
        units=("units", "sum"),
        days=("date", "nunique"),
        propensity=("propensity", "first"),
        block=("block", "first"),
        **{name: (name, "first") for name in ("low", "high", "is_high")},
    )
    found = found.reset_index()
    if shared == "week":  # days without a sale beside declared ones had the week's price
        open_days = days[days["propensity"].notna() | (days["units"] == 0)].groupby(["store_id", "week"])["date"]
        found = found.drop(columns="days").merge(open_days.nunique().rename("days").reset_index(), how="left")
    is_daily = bool((found.groupby("unit")["days"].sum() == found.groupby("unit").size()).all())
    blocks = pd.factorize(found["unit"])[0]
    begins = found["first"].groupby(blocks).transform("min")
    return CoinRows(
        units=found["units"].to_numpy(dtype=float),
        low=np.log(found["low"].to_numpy(dtype=float)),
        high=np.log(found["high"].to_numpy(dtype=float)),
        is_high=found["is_high"].to_numpy(dtype=bool),
        propensity=np.where(found["is_high"], found["propensity"], 1 - found["propensity"]).astype(float),
        blocks=blocks.astype(np.int64),
        stores=pd.factorize(found["store_id"])[0].astype(np.int64),
        slots=pd.factorize(begins, sort=True)[0].astype(np.int64),
        weekdays=begins.dt.day_of_week.to_numpy(dtype=np.int64) if is_daily else None,
        exposure=None if is_daily else found["days"].to_numpy(dtype=float),
        strata=pd.factorize(found["block"])[0].astype(np.int64) if found["block"].notna().all() else None,
    )


def _checked(rows: CoinRows) -> CoinRows:
    """Return the rows of a draw that nothing refutes."""
    failed = checked_declaration(rows).failed
    if failed:
        raise NotAsDeclaredError("; ".join(f"{check.name}: {check.found}" for check in failed))
    return rows


def _response(sku: str, rows: CoinRows, found: CoinSlope, looked_at: int) -> PriceResponse:
    low, high, drawn = found.low, found.high, f"{found.n_blocks} drawn units"
    is_closed = bool(np.isfinite([found.slope, low, high]).all())
    error = (high - low) / (2 * _Z)
    slope = Slope(found.slope, low, high, error, float(rows.log_prices.std()), found.p_value) if is_closed else None
    said = f"from {low:.2f} to {high:.2f} by {drawn}"
    verdict: VerdictWord = "too thin"
    if slope is None:
        why = f"{drawn} leave its slope open"
    elif found.is_told:
        verdict, why = "told", f"sales fell where the higher price was drawn, {said}"
    elif found.adjusted <= LEVEL:
        verdict, why = "too confounded", f"sales rose where the higher price was drawn, {said}"
    elif found.p_value <= LEVEL:
        why = f"{said} is not sure enough among {looked_at} products drawn"
    else:
        why = f"no response is possible too: {said}"
    n_days = len(rows.units) if rows.exposure is None else int(rows.exposure.sum())
    return PriceResponse(
        sku, n_days, int(rows.units.sum()), None, slope, None, verdict, why, is_count=True, by="design"
    )
