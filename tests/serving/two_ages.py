"""The exact answer for a product whose units keep for two days: every mixture of young and old units is a state."""

import numba
import numpy as np

from catalog.arrays import Floats, Ints


@numba.njit(cache=True)
def _poisson(mean: float, most: int) -> Floats:
    """Chances of 0, 1, ... and of `most` or more."""
    chances = np.zeros(most + 1)
    chances[0] = np.exp(-mean)
    for count in range(1, most):
        chances[count] = chances[count - 1] * mean / count
    if most > 0:
        chances[most] = max(0.0, 1.0 - chances[:most].sum())
    else:
        chances[0] = 1.0
    return chances


@numba.njit(cache=True)
def _expected(gain: float, young: int, old: int, fresh: Floats, aged: Floats, later: Floats) -> float:
    """Gain of a tick: so many would take young units, so many old ones; who finds none of them takes the other."""
    total = 0.0
    for a in range(len(fresh)):
        if fresh[a] < 1e-12:
            continue
        for b in range(len(aged)):
            sold = min(a + b, young + old)
            from_young = min(a, young)
            from_old = min(b, old)
            rest = sold - from_young - from_old
            extra = min(rest, old - from_old)
            from_old += extra
            from_young += rest - extra
            total += fresh[a] * aged[b] * (sold * gain + later[young - from_young, old - from_old])
    return total


@numba.njit(cache=True)
def best_day(gains: Floats, rates: Floats, share: float, evening: Floats) -> Floats:
    """Value of every state at opening, when each tick has the best price; `evening` is that of every state then."""
    n_young, n_old = evening.shape
    later = evening.copy()
    for tick in range(rates.shape[1] - 1, -1, -1):
        now = np.full_like(later, -np.inf)
        for price in range(len(gains)):
            rate = rates[price, tick]
            most = int(rate + 6 * np.sqrt(rate) + 6)
            fresh, aged = (
                _poisson(share * rate, most if share > 0 else 0),
                _poisson((1 - share) * rate, most if share < 1 else 0),
            )
            for young in range(n_young):
                for old in range(n_old):
                    worth = _expected(gains[price], young, old, fresh, aged, later)
                    now[young, old] = max(now[young, old], worth)
        later = now
    return later


@numba.njit(cache=True)
def day_at(gains: Floats, rates: Floats, share: float, evening: Floats, chosen: Ints) -> Floats:
    """Value of every state at opening when the price is the one chosen for (units on the shelf, tick)."""
    n_young, n_old = evening.shape
    later = evening.copy()
    for tick in range(rates.shape[1] - 1, -1, -1):
        now = np.zeros_like(later)
        for young in range(n_young):
            for old in range(n_old):
                price = chosen[min(young + old, len(chosen) - 1), tick]
                rate = rates[price, tick]
                most = int(rate + 6 * np.sqrt(rate) + 6)
                fresh, aged = (
                    _poisson(share * rate, most if share > 0 else 0),
                    _poisson((1 - share) * rate, most if share < 1 else 0),
                )
                now[young, old] = _expected(gains[price], young, old, fresh, aged, later)
        later = now
    return later


@numba.njit(cache=True)
def _expected_beside(
    gains: tuple[float, float], q: float, young: int, old: int, takers: tuple[Floats, Floats], later: Floats
) -> float:
    """Gain of a tick beside a sticker: some take young units at the label, others old ones at the sticker.

    Who wants a young one and finds none takes an old one. Of those who want an old one and find none, a share `q` pays
    the label; a number of them between two is read on a straight line.
    """
    label, sticker = gains
    fresh, aged = takers
    total = 0.0
    for a in range(len(fresh)):
        for b in range(len(aged)):
            chance = fresh[a] * aged[b]
            if chance < 1e-12:
                continue
            at_label, at_sticker = min(a, young), min(b + a - min(a, young), old)
            more = min(q * (b + a - min(a, young) - at_sticker), float(young - at_label))
            whole = int(more)
            worth = 0.0
            for add, share in ((whole, 1 - more + whole), (whole + 1, more - whole)):
                if share > 0:
                    sold = at_label + add
                    worth += share * (sold * label + at_sticker * sticker + later[young - sold, old - at_sticker])
            total += chance * worth
    return total


@numba.njit(cache=True)
def day_with_sticker(
    gains: Floats, rates: Floats, sticker: tuple[float, Floats], share: float, evening: Floats, chosen: Ints
) -> Floats:
    """Value of every state at opening beside a sticker: what a sale brings at it, and who would pay it in each tick.

    Labels are those chosen for (young, old, tick); where none are given, the best ones for each state.
    """
    n_young, n_old = evening.shape
    gain, would_pay = sticker
    later = evening.copy()
    for tick in range(rates.shape[1] - 1, -1, -1):
        now = np.full_like(later, -np.inf)
        for price in range(len(gains)):
            rate, paid = rates[price, tick], gains[price]
            beside = paid > gain
            low = would_pay[tick] if beside else rate
            q = (1 - share) * rate / (low - share * rate) if beside else 1.0
            most = int(low + 6 * np.sqrt(low) + 6)
            mixed = (_poisson(share * rate, most if share > 0 else 0), _poisson(low - share * rate, most))
            plain = (_poisson(share * rate, most if share > 0 else 0), _poisson((1 - share) * rate, most))
            for young in range(n_young):
                for old in range(n_old):
                    if len(chosen) and chosen[young, old, tick] != price:
                        continue
                    if old > 0 and beside:
                        worth = _expected_beside((paid, gain), q, young, old, mixed, later)
                    else:
                        worth = _expected(paid, young, old, plain[0], plain[1], later)
                    now[young, old] = max(now[young, old], worth)
        later = now
    return later
