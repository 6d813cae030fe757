"""Pictures of a day of prices, calm and free: `python -m plugins.evaluation.calm_days`.

A store of a world lives some days from its first one on, once for each share of `policies.calm`, and meets the same
shoppers. The last day is drawn to docs/screenshots/day-calm.png and day-free.png; what each share brought is printed.
"""

import argparse
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.settings import read_settings
from etl.calendar import DEFAULT_START
from etl.stock import kept_before
from etl.twin.store_day import play
from flows.cli.console import say
from plugins.evaluation.bench.screenshots import PICTURES
from plugins.evaluation.living_store import LivingStore
from plugins.evaluation.worlds import asked_worlds, changed

_DPI = 110
_RISE = 1.1  # times an earlier price that a shopper would notice


@dataclass(frozen=True)
class LivedPrices:
    """The prices of some days, and what was earned.

    Attributes
    ----------
    prices
        EUR, shape (n_days, n_ticks, n_stores, n_products); days of all seeds one after another.
    gain_eur
        What all stores earned, by the objective of the catalog.
    hour
        Ticks of an hour.
    """

    prices: Floats
    gain_eur: float
    hour: int

    @property
    def changes_a_day(self) -> float:
        """Mean number of changes of a price within a day."""
        return float((np.diff(self.prices, axis=1) != 0).sum(axis=1).mean())

    @property
    def days_with_a_rise(self) -> float:
        """Share of product days on which a price rises by 10 % or more within an hour."""
        rises = np.zeros(self.prices[:, 0].shape, dtype=bool)
        for ticks in range(1, self.hour + 1):
            rises |= (self.prices[:, ticks:] >= _RISE * self.prices[:, :-ticks]).any(axis=1)
        return float(rises.mean())


def with_calm(catalog: Catalog, share: float) -> Catalog:
    """Return a catalog whose prices have to earn a share to change; 0 lets them move freely."""
    return changed(catalog, policies=catalog.store.policies.model_copy(update={"calm": share}))


def lived_prices(catalog: Catalog, seeds: int, days: int) -> LivedPrices:
    """Let a chain live some days from its first one on, once for each seed, without training; return what it showed."""
    shown, gain, stores = list[Floats](), 0.0, catalog.store.stores
    for seed in range(1, seeds + 1):
        with TemporaryDirectory() as home:
            living = LivingStore(read_settings({"SHELFPRICE_HOME": home}), catalog, seed)
            for date in (DEFAULT_START + dt.timedelta(days=day) for day in range(days)):
                kept = kept_before(living.workspace.lake, catalog, stores, date)
                sold = living.sell(date)
                gain += sold.gain_eur
                shown.append(play(catalog, sold.priced_by.policy, stores, date, seed, kept).decisions.prices)
                living.night_without_training(date)
    return LivedPrices(np.stack(shown), gain, catalog.store.opening.hour_ticks)


def figure_of_day(catalog: Catalog, prices: Floats, title: str) -> Figure:
    """Draw the prices of one store's day over their base prices, a line for each product.

    Parameters
    ----------
    prices
        EUR, shape (n_ticks, n_products).
    """
    opening = catalog.store.opening
    hours = (opening.opens_minute + np.arange(len(prices) + 1) * opening.tick_minutes) / 60
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    for product, ratio in zip(catalog.products, (prices / catalog.base_prices).T, strict=True):
        axes.step(hours, np.append(ratio, ratio[-1]), where="post", label=product.name)
    axes.set(title=title, xlabel="hour of the day", ylabel="price / base price", xlim=(hours[0], hours[-1]))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def table_of(lived: dict[float, LivedPrices]) -> str:
    """Return what each share brought as lines of a Markdown table; profit is compared with that of free prices."""
    lines = ["| share | changes a day | product days with a rise | profit lost |", "|---|---|---|---|"]
    for share, found in lived.items():
        lost = 1 - found.gain_eur / lived[0.0].gain_eur
        lines.append(f"| {share:g} | {found.changes_a_day:.1f} | {found.days_with_a_rise:.0%} | {100 * lost:.2f} % |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None, folder: Path = PICTURES) -> None:
    """Write the two pictures and print the table."""
    parser = argparse.ArgumentParser(prog="python -m plugins.evaluation.calm_days", description=__doc__)
    parser.add_argument("--world", default="200 visits")
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--share", type=float, action="append", help="repeatable; 0.005 without any")
    options = parser.parse_args(arguments)
    (world,) = asked_worlds([options.world])
    shares = [0.0, *(options.share or [0.005])]
    lived = {share: lived_prices(with_calm(world.catalog, share), options.seeds, options.days) for share in shares}
    for name, share in (("free", 0.0), ("calm", shares[1])):
        title = f"A day of {name} prices: {options.world}, day {options.days}"
        figure = figure_of_day(world.catalog, lived[share].prices[-1, :, 0], title)
        figure.savefig(folder / f"day-{name}.png", dpi=_DPI)
    say(table_of(lived))


if __name__ == "__main__":
    main()
