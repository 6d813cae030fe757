"""What one batch frees is kept for the next one: the system clears what it hands out anew.

A tick of a long shelf in many stores has arrays so large that what lies free between them adds up, so it is given back.
"""

import ctypes
import platform
from functools import cache

_TRIM, _MMAP = -1, -3  # options of glibc's mallopt(3): free bytes that are kept, bytes of what is never kept
_KEPT, _GIVEN_BACK = {_TRIM: 512 << 20, _MMAP: 32 << 20}, {_TRIM: 1 << 20, _MMAP: 1 << 20}
_MANY_PRICES = 50_000


def has_many_prices(n_prices: int) -> bool:
    """Tell whether a tick has so many prices that what is free is given back."""
    return n_prices > _MANY_PRICES


def keep_freed_memory(n_prices: int = 0) -> None:
    """Let glibc keep what is freed, unless a tick has many prices: to fetch it anew takes a tenth of the time."""
    if _is_glibc():
        for option, size in (_GIVEN_BACK if has_many_prices(n_prices) else _KEPT).items():
            ctypes.CDLL(None).mallopt(option, size)


@cache
def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
