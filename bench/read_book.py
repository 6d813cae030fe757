"""Read a chain's price book and ask it for prices, in a process that imports what that needs and nothing else.

    python -m bench.read_book HOME

prints what it takes as JSON: memory at its peak, bytes, and processor time, seconds.
"""

import json
import sys
import time

import numpy as np

from bench.processes import peak_bytes
from catalog.settings import read_settings
from serving.book_store import book_in_force
from warehouse.lake import Lake

_SEED = 7
_ASKED = 20_000
_MILLION = 1_000_000


def read(lake: Lake) -> dict[str, float]:
    """Read the newest book, and ask it for prices of products, stocks and ticks drawn at random."""
    found = book_in_force(lake)
    assert found is not None  # noqa: S101 - it was made before
    book, draw = found.book, np.random.default_rng(_SEED)
    ends = (0, len(book.skus)), (0, book.n_levels), (1, book.n_ticks + 1)
    states = [draw.integers(first, end, _MILLION) for first, end in ends]
    few = [
        (book.skus[product], stock, left)
        for product, stock, left in zip(*(own[:_ASKED].tolist() for own in states), strict=True)
    ]
    book.quote(*few[0]), book.quotes(*states)
    began = time.process_time()
    for state in few:
        book.quote(*state)
    one = time.process_time()
    book.quotes(*states)
    return {"peak": peak_bytes(), "quote": (one - began) / _ASKED, "million": time.process_time() - one}


if __name__ == "__main__":
    print(json.dumps(read(Lake(read_settings({"SHELFPRICE_HOME": sys.argv[1]})))))
