"""Whether a declared coin looks like one: what a fair throw rules out, tested against throws of the declared coin.

An owner may declare that prices were thrown. No test proves it, but a coin that comes up too often on one side, follows
itself, yesterday's sales or the weekday is refuted. Each check has an exact p-value: its statistic beside those of
throws with the declared chances.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.counts.design_analysis import CoinRows

REFUTED = 0.01
"""A declaration is refuted below this p-value, all checks together."""
_LAGS = (1, 2, 7)
_FEWEST = 8  # throws of a kind, below which nothing is checked


@dataclass(frozen=True)
class DeclarationCheck:
    """One check: what it looked at, and how likely a coin as declared would look as odd."""

    name: str
    p_value: float
    found: str


@dataclass(frozen=True)
class CheckedDeclaration:
    """All checks of a declared coin."""

    checks: tuple[DeclarationCheck, ...]

    @property
    def failed(self) -> tuple[DeclarationCheck, ...]:
        """Those that are too unlikely, corrected for their number: one of them refutes the declared coin."""
        return tuple(check for check in self.checks if check.p_value * len(self.checks) < REFUTED)

    @property
    def is_refuted(self) -> bool:
        """Whether this was not the declared coin."""
        return bool(self.failed)


def checked_declaration(rows: CoinRows, seed: int = 0) -> CheckedDeclaration:
    """Check a declared coin of one product or family."""
    place, chance, is_high = rows.of_blocks()
    first = np.unique(place, return_index=True)[1]
    stores, slots = rows.stores[first], rows.slots[first]
    order = np.lexsort((slots, stores))
    thrown = np.concatenate([is_high[None], rows.thrown_again(seed)]).astype(float)
    off = (thrown - chance)[:, order]
    blocks = _Blocks(off, stores[order], slots[order], _sold_of(rows, place)[order])
    checks = [DeclarationCheck("frequency", _p_value(np.abs(off.sum(axis=1))), _frequency(is_high, chance))]
    checks += blocks.of_pattern()
    checks += blocks.of_sales_before()
    if rows.weekdays is not None:
        checks += blocks.of_weekdays(rows.weekdays[first][order])
    return CheckedDeclaration(tuple(checks))


@dataclass(frozen=True)
class _Blocks:
    """Blocks by store and time: sides less their chance, the seen ones first, shape (1 + n_throws, n_blocks)."""

    off: Floats
    stores: Ints
    slots: Ints
    sold: Floats

    def of_pattern(self) -> Iterator[DeclarationCheck]:
        """Check whether a throw goes together with earlier ones."""
        for lag in _LAGS:
            follows = self._follows(lag)
            if follows.sum() >= _FEWEST:
                together = (self.off[:, lag:] * self.off[:, :-lag])[:, follows].sum(axis=1)
                word = "repeats" if together[0] > 0 else "alternates with"
                yield DeclarationCheck(
                    f"pattern of {lag}", _p_value(np.abs(together)), f"{word} the throw {lag} before"
                )

    def of_sales_before(self) -> Iterator[DeclarationCheck]:
        """Check whether a throw goes together with what was sold in the slot before."""
        follows = self._follows(1)
        if follows.sum() >= _FEWEST:
            before = ranks(self.sold[:-1][follows])
            together = self.off[:, 1:][:, follows] @ (before - before.mean())
            word = "higher" if together[0] > 0 else "lower"
            yield DeclarationCheck("sales before", _p_value(np.abs(together)), f"{word} after good sales")

    def of_weekdays(self, weekdays: Ints) -> Iterator[DeclarationCheck]:
        """Check whether some weekdays have more of one side."""
        days = [weekdays == day for day in np.unique(weekdays)]
        if len(days) > 1 and len(weekdays) >= _FEWEST:
            sums = np.stack([self.off[:, day].sum(axis=1) / np.sqrt(day.sum()) for day in days])
            odd = int(np.unique(weekdays)[np.argmax(np.abs(sums[:, 0]))])
            yield DeclarationCheck("weekdays", _p_value((sums**2).sum(axis=0)), f"most on weekday {odd}")

    def _follows(self, lag: int) -> Flags:
        """Return which blocks, from the `lag`-th on, follow the one `lag` before them in the same store."""
        same = self.stores[lag:] == self.stores[:-lag]
        return np.asarray(same & (self.slots[lag:] - self.slots[:-lag] == lag))


def ranks(values: Floats) -> Floats:
    """Return the rank of each value from 1, equal ones at the mean of their ranks; SciPy takes 0.8 s to import for it.

    Parameters
    ----------
    values
        Shape (n_values,), none of them NaN.
    """
    _, place, n_equal = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((n_equal.cumsum() - (n_equal - 1) / 2)[place])


def _sold_of(rows: CoinRows, place: Ints) -> Floats:
    """Units of each block."""
    return np.asarray(np.bincount(place, rows.units), dtype=float)


def _frequency(is_high: Flags, chance: Floats) -> str:
    return f"{int(is_high.sum())} of {len(is_high)} on the higher side, {chance.sum():.1f} expected"


def _p_value(statistics: Floats) -> float:
    """Return the share of all throws whose statistic is at least that of the first, the seen one."""
    return float((statistics >= statistics[0] - 1e-9).mean())
