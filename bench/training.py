"""A training at a chain's size: a thousand products, ten million decisions, MLflow included."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.chain import write_chain
from bench.loop import run_apart
from bench.measure import Measurement

_PRODUCTS, _STORES, _DAYS = 1_000, 13, 10
_SECONDS, _GB = 60.0, 2.0


def training() -> Iterator[Measurement]:
    """Play a chain's shelf through the real flows, and tell what training on it took."""
    with TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        write_chain(Path(folder), _PRODUCTS, _STORES)
        found = run_apart(_STORES, _DAYS, SHELFPRICE_CATALOG=folder)
    size = f"{_PRODUCTS:,} products, {found['decisions'] / 1e6:.0f} million decisions"
    yield Measurement("train", f"processor time of train, {size}", found["processor"]["train"], "s", (), _SECONDS)
    yield Measurement("train", f"peak memory of train, {size}", found["peaks"]["train"], "GB", (), _GB)
