"""The three regressions of a product: without effects, with effects, and the strict one.

The estimate has an effect for each store and four weeks, each week and each day of the week, and one of holidays. The
strict one has days of the week for each store, and two means of the log price beside the price: over all stores on the
date, and in the store over the week (or over the date, where prices change within a day). Beside them the price speaks
only where a store leaves both the other stores and itself. A mean as a column takes the place of an effect for each
date, which in a logistic regression would bend the slope (Mundlak, "On the pooling of time series and cross section
data", Econometrica, 1978).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from own_data.price_response.calendar import is_holiday
from own_data.price_response.observations import PERIOD_WEEKS, WEEK_DAYS, Observations, crossed
from own_data.price_response.regression import Fitted, regress, without_effects

_KEPT_WITHIN = 0.25  # of the price's variance, from which a finer comparison is made
_LEAST_SPREAD = 0.01  # standard deviation of log price that the effects leave: one per cent


@dataclass(frozen=True)
class Specification:
    """A product's data with the effects and the means that the strict regression compares within.

    Attributes
    ----------
    own
        The observations.
    groups
        Levels of each effect, shape (n_rows,) each.
    within
        Levels whose mean log price enters as a column: dates, and store weeks or store days if prices vary in them.
    holiday
        1 on public holidays, shape (n_rows,).
    """

    own: Observations
    groups: tuple[Ints, ...]
    within: tuple[Ints, ...]
    holiday: Floats

    def kept(self, rows: Flags) -> "Specification":
        """Return the flagged rows."""
        groups, within = (tuple(level[rows] for level in levels) for levels in (self.groups, self.within))
        return replace(self, own=self.own.kept(rows), groups=groups, within=within, holiday=self.holiday[rows])

    def fit(self, outcome: Observations | None = None, beside: Sequence[Floats] = ()) -> Fitted | None:
        """Regress an outcome, by default the product's own sales, on its log price and other columns."""
        return self.fit_column(self.own.log_price, outcome, beside)

    def fit_column(
        self, column: Floats, outcome: Observations | None = None, beside: Sequence[Floats] = ()
    ) -> Fitted | None:
        """Regress on any column, shape (n_rows,); its means and those of the columns beside it enter, too."""
        own = outcome or self.own
        columns = [column, *beside]
        means = [group_mean(one, own.offered, level) for level in self.within for one in columns]
        varying = [one for one in (*means, self.holiday) if np.ptp(one) > 0]
        found = regress(own, [*columns, *varying], self.groups)
        return found if found and found.spread >= _LEAST_SPREAD else None


def naive(own: Observations) -> Fitted | None:
    """Regress without effects."""
    found = regress(own, [own.log_price], [])
    return found if found and found.spread >= _LEAST_SPREAD else None


def with_effects(own: Observations, country: str | None) -> Specification:
    """Return the data with effects of store and four weeks, week, day of the week, hour and holidays."""
    groups = (crossed(own.store, own.week // PERIOD_WEEKS), own.week, own.day % WEEK_DAYS, own.hour)
    holiday = is_holiday(own.day, country).astype(float)
    return Specification(own, tuple(group for group in groups if np.ptp(group) > 0), (), holiday)


def strict(usual: Specification) -> Specification:
    """Return the same data with the strict effects."""
    own = usual.own
    by_store = crossed(own.store, own.day % WEEK_DAYS)
    groups = (*usual.groups[:2], by_store, *((own.hour,) if np.ptp(own.hour) > 0 else ()))
    plain = replace(usual, groups=groups, within=(own.day,))
    rest = without_effects(own.log_price[:, None], own.offered, groups)[:, 0]
    finer = (own.store_day, crossed(own.store, own.week))
    total = np.average(rest**2, weights=own.offered)
    for level in finer:
        left = rest - group_mean(rest, own.offered, level)
        if total > 0 and np.average(left**2, weights=own.offered) >= _KEPT_WITHIN * total:
            return replace(plain, within=(own.day, level))
    return plain


def group_mean(values: Floats, weight: Floats, group: Ints) -> Floats:
    """Return the weighted mean of each row's group, shape (n_rows,)."""
    level = np.unique(group, return_inverse=True)[1]
    total = np.bincount(level, weight)
    return np.asarray((np.bincount(level, weight * values) / np.where(total > 0, total, 1))[level])


def group_sum(values: Floats, group: Ints) -> Floats:
    """Return the sum of each row's group, shape (n_rows,)."""
    level = np.unique(group, return_inverse=True)[1]
    return np.asarray(np.bincount(level, values)[level])
