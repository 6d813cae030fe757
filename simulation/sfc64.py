"""Random numbers of SFC64 streams in compiled code, to the bit those that NumPy's `Generator` draws.

To draw a store day of five hundred visits, NumPy is called nine times, which takes longer than the numbers do. What
must hold: each function draws as the method of `numpy.random.Generator` that it names, in its order. A test compares
them with it, so that a NumPy that draws otherwise is noticed.

Poisson numbers above 10 are drawn by transformed rejection (Hörmann, "The transformed rejection method for generating
Poisson random variables", Insurance 12, 1993), normal ones by the ziggurat (Marsaglia and Tsang, "The ziggurat method
for generating random variables", Journal of Statistical Software 5(8), 2000).
"""

import math
from typing import Any

import numba
import numpy as np
from numba.np.random._constants import fi_float, ki_float, wi_float, ziggurat_nor_inv_r_f, ziggurat_nor_r_f
from numba.np.random.distributions import random_loggam
from numpy.typing import NDArray

from catalog.arrays import Floats

Stream = NDArray[np.uint64]
"""Four words of state, 32 bits that are kept for the next number of so many, and whether there are any, shape (6,)."""

_WARM_UP = 12
_KEPT, _HAS_KEPT = 4, 5
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_MANY = 10.0  # from this mean on, Poisson numbers are drawn by rejection
_SURE, _EDGE = 0.07, 0.013  # how far from the ends of the uniform numbers that are taken at once, or only below these

_compiled = numba.njit(cache=True, nogil=True)
_inlined = numba.njit(inline="always")


@_compiled
def begun(seeds: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the streams of some seeds, shape (n_streams, 6) for `SeedSequence.generate_state(3)` each."""
    streams = np.zeros((len(seeds), 6), np.uint64)
    for stream, seed in zip(streams, seeds):  # noqa: B905 - compiled
        stream[:3], stream[3] = seed, 1
        for _ in range(_WARM_UP):
            _next(stream)
    return streams


@_inlined
def _next(stream: Stream) -> Any:
    """Return the next 64 bits."""
    a, b, c, counter = stream[0], stream[1], stream[2], stream[3]
    drawn = a + b + counter
    stream[0] = b ^ (b >> np.uint64(11))
    stream[1] = c + (c << np.uint64(3))
    stream[2] = ((c << np.uint64(24)) | (c >> np.uint64(40))) + drawn
    stream[3] = counter + np.uint64(1)
    return drawn


@_inlined
def _next_half(stream: Stream) -> Any:
    """Return the next 32 bits: the lower half of 64 first, and then the other."""
    if stream[_HAS_KEPT]:
        stream[_HAS_KEPT] = 0
        return stream[_KEPT]
    drawn = _next(stream)
    stream[_KEPT], stream[_HAS_KEPT] = drawn >> _HALF, 1
    return drawn & _LOW


@_inlined
def _uniform(stream: Stream) -> Any:
    return (_next(stream) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@_inlined
def _narrow_uniform(stream: Stream) -> Any:
    return np.float32(_next_half(stream) >> np.uint64(8)) * np.float32(1.0 / 16777216.0)


@_compiled
def fill_uniform(stream: Stream, into: Floats) -> None:
    """Draw as `random(out=into)` does, shape (n,)."""
    for place in range(len(into)):
        into[place] = _uniform(stream)


@_compiled
def fill_narrow_uniform(stream: Stream, into: NDArray[np.float32]) -> None:
    """Draw as `random(out=into, dtype=np.float32)` does, shape (n,)."""
    for place in range(len(into)):
        into[place] = _narrow_uniform(stream)


@_compiled
def fill_below(stream: Stream, end: int, into: NDArray[np.int32]) -> None:
    """Draw as `integers(0, end, dtype=np.int32)` does, shape (n,)."""
    if end == 1:
        into[:] = 0
        return
    n_numbers = np.uint64(end)
    refused = (np.uint64(2**32) - n_numbers) % n_numbers
    for place in range(len(into)):
        scaled = _next_half(stream) * n_numbers
        while (scaled & _LOW) < refused:
            scaled = _next_half(stream) * n_numbers
        into[place] = scaled >> _HALF


@_compiled
def fill_poisson(stream: Stream, means: Floats, into: NDArray[np.int64]) -> None:
    """Draw as `poisson(means)` does, shape (n,)."""
    for place in range(len(into)):
        if means[place] >= _MANY:
            into[place] = _poisson_by_rejection(stream, means[place])
        elif means[place] == 0:
            into[place] = 0
        else:
            into[place] = _poisson_by_products(stream, means[place])


@_compiled
def _poisson_by_products(stream: Stream, mean: float) -> int:
    least, number, product = math.exp(-mean), 0, _uniform(stream)
    while product > least:
        number += 1
        product *= _uniform(stream)
    return number


@_compiled
def _poisson_by_rejection(stream: Stream, mean: float) -> int:
    root, log_mean = math.sqrt(mean), math.log(mean)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = _uniform(stream) - 0.5
        v = _uniform(stream)
        u_s = 0.5 - abs(u)
        number = math.floor((2 * a / u_s + b) * u + mean + 0.43)
        if u_s >= _SURE and v <= v_r:
            return number
        if number < 0 or (u_s < _EDGE and v > u_s):
            continue
        wanted = math.log(v) + math.log(inverse_alpha) - math.log(a / (u_s * u_s) + b)
        if wanted <= -mean + number * log_mean - random_loggam(number + 1.0):  # type: ignore[no-untyped-call]
            return number


@_compiled
def fill_narrow_normal(stream: Stream, into: NDArray[np.float32]) -> None:
    """Draw as `standard_normal(out=into, dtype=np.float32)` does, shape (n,)."""
    for place in range(len(into)):
        bits = _next_half(stream)
        layer, size = bits & np.uint64(0xFF), bits >> np.uint64(9)
        number = np.float32(size) * wi_float[layer]
        if bits & np.uint64(0x100):
            number = -number
        into[place] = number if size < ki_float[layer] else _rare_normal(stream, bits, number)


@_compiled
def _rare_normal(stream: Stream, bits: Any, number: Any) -> Any:
    """Return a normal number where the first 32 bits do not decide alone."""
    while True:
        layer, size = bits & np.uint64(0xFF), bits >> np.uint64(9)
        if size < ki_float[layer]:
            return number
        if layer == 0:
            while True:
                beyond = np.float32(-ziggurat_nor_inv_r_f * np.log1p(-_narrow_uniform(stream)))
                twice = np.float32(-np.log1p(-_narrow_uniform(stream)))
                if np.float32(twice + twice) > np.float32(beyond * beyond):
                    tail = np.float32(ziggurat_nor_r_f + beyond)
                    return -tail if size & np.uint64(0x100) else tail
        height = (fi_float[layer - np.uint64(1)] - fi_float[layer]) * _narrow_uniform(stream) + fi_float[layer]
        if height < math.exp(-0.5 * np.float64(number) * np.float64(number)):
            return number
        bits = _next_half(stream)
        number = np.float32(bits >> np.uint64(9)) * wi_float[bits & np.uint64(0xFF)]
        if bits & np.uint64(0x100):
            number = -number
