"""A chain's price book: 30,000 products made, kept, read and asked, each in a process of its own.

Every product has a price, a demand and a footfall of its own, so that no two have the same steps.

    python -m bench.chain_book HOME 30000
    python -m bench.read_book HOME

make it in a home, and read it there; each prints what was measured as JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.measure import ROOT, Measurement, own_environment
from bench.processes import peak_bytes
from bench.world import FIRST_DAY, SEED
from catalog.arrays import Floats
from catalog.load import CLASSIC, Catalog, load
from catalog.price_ladder import price_ladder
from catalog.settings import read_settings
from catalog.store_day import tick_profile
from serving.book_store import commit_book, new_book
from serving.curves import DemandCurves
from simulation.truth import chance_of_sale
from warehouse.lake import Lake

_PRODUCTS = 30_000
_VISITS = 200.0  # to a product on a store day, in the median


def chain_book() -> Iterator[Measurement]:
    """Make a book of 30,000 products x 101 stock levels x 48 ticks, and read it as the quote API does."""
    with TemporaryDirectory(prefix="shelfprice-bench-") as home:
        made = _measured(Path(home), "chain_book", str(_PRODUCTS))
        read = _measured(Path(home), "read_book")
    name, what = "chain_book", f"book of {_PRODUCTS:,} products x 101 x 48"
    yield Measurement(name, f"{what}, processor", made["seconds"], "s", (), 60.0)
    yield Measurement(name, "its peak memory", made["peak"] / 1e9, "GB", (), 1.0)
    yield Measurement(name, "its file in the lake", made["bytes"] / 1e6, "MB", (), 60.0)
    yield Measurement(name, "peak memory of a process that reads it", read["peak"] / 1e6, "MB", (), 512.0)
    yield Measurement(name, "one quote, of any product", read["quote"] * 1e6, "us", (), 2.0)
    yield Measurement(name, "a million quotes at once", read["million"], "s", (), 1.0)


def _measured(home: Path, module: str, *more: str) -> dict[str, float]:
    command = [sys.executable, "-m", f"bench.{module}", str(home), *more]
    done = subprocess.run(command, cwd=ROOT, env=own_environment(home), capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def chain(n_products: int) -> tuple[Catalog, DemandCurves, Floats]:
    """Return a shelf of so many products, their true demand, and the visits expected to each."""
    draw, usual = np.random.default_rng(SEED), load(CLASSIC)
    dearness = draw.uniform(0.6, 2.5, n_products)
    products = tuple(_another(usual, number, own) for number, own in enumerate(dearness.tolist()))
    catalog = Catalog(products, usual.store.model_copy(update={"popularity": {}}))
    ladder = price_ladder(catalog)
    chances = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    chances = chances ** draw.uniform(0.7, 1.5, n_products)[:, None]
    visits = _VISITS * draw.lognormal(0, 0.8, n_products)[:, None] * tick_profile(catalog.store)
    return catalog, DemandCurves(catalog.skus, ladder, chances, "truth"), visits


def _another(usual: Catalog, number: int, dearness: float) -> Any:
    own = usual.products[number % len(usual.products)]
    prices = ("base_price", "unit_cost", "floor_price", "ceiling_price")
    known = {name: value for name in prices if (value := getattr(own, name)) is not None}
    dearer = {name: round(value * dearness, 2) for name, value in known.items()}
    return own.model_copy(update={"sku": f"P{number:05d}", **dearer})


def make(lake: Lake, n_products: int) -> dict[str, float]:
    """Make and publish a book; the recursion is compiled before."""
    new_book(*chain(1), FIRST_DAY)
    shelf = chain(n_products)
    lake.prepare()
    began = time.process_time()
    new = new_book(*shelf, FIRST_DAY)
    commit_book(lake, new)
    seconds, receipt = time.process_time() - began, lake.receipt(new.place)
    assert receipt is not None  # noqa: S101 - it was just committed
    return {"seconds": seconds, "peak": peak_bytes(), "bytes": receipt.bytes}


if __name__ == "__main__":
    home, n_products = sys.argv[1:]
    print(json.dumps(make(Lake(read_settings({"SHELFPRICE_HOME": home})), int(n_products))))
