"""Units that a till reported, as arrays over products, stores and periods."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Floats, Ints


@dataclass(frozen=True)
class UnitRows:
    """Units of each product in each store and period; a period is a week or a day.

    What is not to be learned from has an exposure of 0: a product that was not on the shelf, a price that was not ours.
    Arrays have shape (n_products, n_stores, n_periods) unless said otherwise.

    Attributes
    ----------
    units
        Sold, any number where the exposure is 0.
    exposure
        Share of the period in which the product could be bought, or any other multiple of what is expected.
    log_ratios
        Log of the price over the owner's price; any number where the exposure is 0.
    weekdays
        Number of each period's weekday, shape (n_periods,); None where periods are weeks.
    """

    units: Floats
    exposure: Floats
    log_ratios: Floats
    weekdays: Ints | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of products, stores and periods."""
        n_products, n_stores, n_periods = self.units.shape
        return n_products, n_stores, n_periods

    @cached_property
    def counted(self) -> tuple[Floats, Floats]:
        """Numbers of units, ascending, and how often each product sold each, shape (n_products, n_numbers)."""
        product, store, period = np.nonzero(self.exposure)
        numbers, number_of = np.unique(self.units[product, store, period], return_inverse=True)
        counts = np.bincount(product * len(numbers) + number_of, minlength=len(self.units) * len(numbers))
        return numbers, counts.reshape(len(self.units), len(numbers)).astype(float)

    @classmethod
    def of_rows(
        cls,
        shape: tuple[int, int, int],
        places: tuple[Ints, Ints, Ints],
        units: Floats,
        log_ratios: Floats,
        exposure: Floats | float = 1.0,
        weekdays: Ints | None = None,
    ) -> "UnitRows":
        """Return rows of a table as arrays; what has no row is left out.

        Parameters
        ----------
        shape
            Numbers of products, stores and periods.
        places
            Numbers of product, store and period of each row, shape (n_rows,) each, no place twice.
        """
        filled = np.zeros((3, *shape))
        for array, values in zip(filled, (units, exposure, log_ratios), strict=True):
            array[places] = values
        return cls(filled[0], filled[1], filled[2], weekdays)
