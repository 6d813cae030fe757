"""A belief after days of one demand, and days of a known demand, for tests that need one and no log."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
from scipy.special import expit

from catalog.arrays import Floats
from catalog.load import Catalog
from serving.belief.belief import USUAL_SHAPE, Belief, Shape, State, believed_before_anybody_came, shelf_prior
from serving.belief.gaussian import Counts, Knots
from serving.belief.posterior import posterior
from serving.belief.sales import Sales, SoldAtPrices, sales_at_knots
from serving.belief.table import belief_from_table, belief_to_table
from serving.book.book import PriceBook
from serving.book.make import publish_book
from serving.learning.outlook import start_of_day
from warehouse.checks.whole import parts_of_book
from warehouse.lake import Lake

MONDAY = dt.date(2026, 1, 5)
HOURS = 12
_VISITS = 40  # to each product in an hour


def believed_after(catalog: Catalog, counts: Counts, shape: Shape = USUAL_SHAPE) -> Belief:
    """Return what is believed after some sales at the knots, no hour or day unlike another."""
    known = posterior(shelf_prior(Knots.of(catalog), catalog.store.belief, shape), counts).belief
    nobody = believed_before_anybody_came(catalog)
    return replace(nobody, states=(State(1.0, known),), shape=shape, sold=counts)


def days_sold(
    catalog: Catalog, levels: Floats, n_products: int = 5, seed: int = 3, hours: Floats | None = None
) -> tuple[Knots, Sales]:
    """Return days of a known demand, from a Monday on: its log odds are the levels and hours, falling by 6 a ratio.

    Levels have the shape (n_days,) or (n_products, n_days), and hours (12,).
    """
    dice, n_days = np.random.default_rng(seed), levels.shape[-1]
    ratios = Knots.of(catalog).ratios
    knots = Knots(np.resize(ratios, (n_products, ratios.shape[1])), np.ones(n_products))
    product, day, hour = (own.ravel() for own in np.indices((n_products, n_days, HOURS)))
    ratio = knots.ratios[product, dice.integers(knots.shape[1], size=len(product))]
    odds = np.broadcast_to(levels, (n_products, n_days))[product, day] - 6 * (ratio - 1)
    bought = dice.binomial(_VISITS, expit(odds + (0.0 if hours is None else hours[hour])))
    dates = tuple(MONDAY + dt.timedelta(days=own) for own in range(n_days))
    met = np.full(len(product), float(_VISITS))
    sold = SoldAtPrices(product, day, hour, ratio, met, bought.astype(float))
    return knots, sales_at_knots(knots, dates, HOURS, sold)


def first_belief(catalog: Catalog, version: str | None = None) -> pa.Table:
    """Return what is believed before anybody came, in the columns of `beliefs`; `version` is the champion's."""
    return belief_to_table(catalog, replace(believed_before_anybody_came(catalog), model_version=version))


def price_alike(lake: Lake, catalog: Catalog, date: dt.date, like: dt.date) -> PriceBook:
    """Publish a price book for a date that stands on what the one of another date does."""
    belief = lake.read(parts_of_book(like)[2])
    outlook = start_of_day(catalog, belief_from_table(belief, catalog)).outlook()
    return publish_book(lake, catalog, outlook.curves, outlook.start.footfall.by_tick, date, belief)
