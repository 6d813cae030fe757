"""Give back memory: allocators keep what was freed for later, and what a chain's work frees is not needed again."""

import ctypes

import pyarrow as pa

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other C libraries keep little


def give_back() -> None:
    """Return to the system what is free in the memory of Arrow and of the C library."""
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)
