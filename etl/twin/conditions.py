"""Which of the catalog's demand effects hold on a date: its weekday, holidays, pay day, temperature and own luck.

Everything here follows from the catalog and the date alone: all stores and all seeds of a world share it, and no day
depends on which others are played.
"""

import datetime as dt
from calendar import monthrange
from functools import lru_cache

import numpy as np
from holidays import HolidayBase, country_holidays

from catalog.load import Catalog
from catalog.records.shoppers import WEEKDAYS, DemandEffect, WeatherSettings
from etl.twin.draws import stream_of_date

_ONE_DAY = dt.timedelta(days=1)
_REMEMBERED = 40  # days; of the strongest persistence that a world has, 0.8, they leave 0.01 %
_OF_BUDGETS, _OF_WEATHER = 1, 2
"""Streams beside that of the busy days."""


def effects_on(catalog: Catalog, date: dt.date, store: str | None) -> list[DemandEffect]:
    """Return the effects that hold in a store at some time of a date; None is a store that none of them names."""
    return [effect for effect in catalog.store.demand_effects if _holds(catalog, effect, date, store)]


def day_shift_on(catalog: Catalog, date: dt.date) -> float:
    """Return by how much all budgets of a date are shifted, as a share of the base price: uniform, as drawn for it."""
    widest = catalog.store.day_shift
    if widest == 0:
        return 0.0
    return float(stream_of_date(catalog.store.footfall.busy_days_seed, date, _OF_BUDGETS).uniform(-widest, widest))


def heeds_temperature(catalog: Catalog) -> bool:
    """Return whether what shoppers do depends on the temperature."""
    return any(effect.above_temperature is not None for effect in catalog.store.demand_effects)


def temperature_on(catalog: Catalog, date: dt.date) -> float:
    """Return the temperature of a date, degrees Celsius.

    It is mean + swing x cos(2 pi (day of the year - warmest day) / 365.25) + day_variation x z, where z is a stationary
    autoregressive process of order 1 with variance 1: the sum of past days' standard normal draws, each with the weight
    persistence ^ age. Draws older than 40 days are left out.
    """
    return _temperature(catalog.store.weather, date)


@lru_cache(maxsize=10_000)
def _temperature(weather: WeatherSettings, date: dt.date) -> float:
    days = date.timetuple().tm_yday - weather.warmest_day
    usual = weather.mean + weather.swing * np.cos(2 * np.pi * days / 365.25)
    draws = [
        stream_of_date(weather.seed, date - age * _ONE_DAY, _OF_WEATHER).standard_normal() for age in range(_REMEMBERED)
    ]
    weights = weather.persistence ** np.arange(_REMEMBERED)
    return float(usual + weather.day_variation * (weights @ draws) / np.sqrt(weights @ weights))


def days_since_pay_day(pay_day: int, date: dt.date) -> int:
    """Return the days since the newest pay day; in a month that is too short for it, its last day is one."""
    this_month = date.replace(day=_clamped(pay_day, date))
    if this_month <= date:
        return (date - this_month).days
    before = date.replace(day=1) - _ONE_DAY
    return (date - before.replace(day=_clamped(pay_day, before))).days


def _holds(catalog: Catalog, effect: DemandEffect, date: dt.date, store: str | None) -> bool:
    """Return whether every condition holds that concerns the date and the store."""
    chain = catalog.store
    if effect.weekdays and WEEKDAYS[date.weekday()] not in effect.weekdays:
        return False
    if (effect.stores and store not in effect.stores) or (effect.before is not None and date >= effect.before):
        return False
    if effect.holidays and date not in _holidays_of(chain.country):
        return False
    if effect.day_before_holiday and date + _ONE_DAY not in _holidays_of(chain.country):
        return False
    if effect.days_since_pay_day and chain.pay_day is not None:
        first, last = effect.days_since_pay_day
        if not first <= days_since_pay_day(chain.pay_day, date) <= last:
            return False
    return effect.above_temperature is None or temperature_on(catalog, date) > effect.above_temperature


@lru_cache(maxsize=100)
def _holidays_of(country: str | None) -> HolidayBase:
    assert country is not None  # noqa: S101 - a store with such an effect has a country
    return country_holidays(country)


def _clamped(day: int, month: dt.date) -> int:
    return min(day, monthrange(month.year, month.month)[1])
