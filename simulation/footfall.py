"""How busy a date is: what its weekday and its own factor make of an average day's visits."""

import datetime as dt

import numpy as np

from catalog.load import Catalog


def footfall_factor_on(catalog: Catalog, business_date: dt.date) -> float:
    """Visits of a date over those of an average day, beside its shocks: the weekday's factor times the date's own.

    The date's own factor is lognormal with mean 1. It is the town's, so that all stores and all seeds of a world share
    it: the catalog and the date alone say how busy a day is.
    """
    footfall = catalog.store.footfall
    factor = footfall.weekday_factors[business_date.weekday()] if footfall.weekday_factors else 1.0
    if footfall.day_variation == 0:
        return factor
    entropy = (footfall.busy_days_seed, business_date.toordinal())
    stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))
    variance = np.log1p(footfall.day_variation**2)
    return float(factor * np.exp(np.sqrt(variance) * stream.standard_normal() - variance / 2))
