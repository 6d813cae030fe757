"""A chain's night: a day played by a whole shelf that learns, grouped, learned from, and the next day priced.

    python -m bench.chain_night --products 30000 --stores 100 --visits 60000

measures one size in a temporary home, with a catalog that `bench.chain` makes. Stores share what they learn as far as
a batch of about a million decisions reaches, so `--visits`, those of a store day, decide how many zones learn.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.chain import write_chain
from bench.loop import run_apart
from bench.measure import Measurement

_PRODUCTS, _STORES = 2_000, 50


def chain_night(
    n_products: int = _PRODUCTS, n_stores: int = _STORES, visits: float | None = None
) -> Iterator[Measurement]:
    """Play one first day through the real flows, and say what each stage took and held."""
    with TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        write_chain(Path(folder), n_products, n_stores, visits)
        found = run_apart(n_stores, 1, SHELFPRICE_CATALOG=folder)
    size = f"{n_products:,} products x {n_stores:,} stores, {found['decisions'] / 1e6:,.1f} million decisions"
    for stage, peak in found["peaks"].items():
        yield Measurement("chain_night", f"{stage}, processor, {size}", found["processor"][stage], "s")
        yield Measurement("chain_night", f"{stage}, by the clock", found["stages"][stage], "s")
        yield Measurement("chain_night", f"peak memory of all processes, {stage}", peak, "GB")


def main() -> None:
    """Measure the size that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.chain_night", description=chain_night.__doc__)
    parser.add_argument("--products", type=int, default=_PRODUCTS, help=f"by default {_PRODUCTS:,}")
    parser.add_argument("--stores", type=int, default=_STORES, help=f"by default {_STORES:,}")
    parser.add_argument("--visits", type=float, help="of a store day; by default two for each unit of a full shelf")
    given = parser.parse_args()
    if min(given.products, given.stores, 1 if given.visits is None else given.visits) < 1:
        parser.error("expected at least one product, store and visit; nothing was played")
    for row in chain_night(given.products, given.stores, given.visits):
        print(": ".join(row.cells()[:2]))


if __name__ == "__main__":
    main()
