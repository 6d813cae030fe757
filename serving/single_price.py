"""One price of a book, looked up where its arrays lie: to hand eleven arrays over takes longer than the look-up.

What must hold: who looks up keeps the arrays for as long as their addresses.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.numpy_support import carray
from numpy.typing import DTypeLike, NDArray

from catalog.arrays import Floats, Ints
from serving.price_steps import find

PriceAt: TypeAlias = Callable[[int, int, int, int], tuple[float, float, int, float]]


class Addresses(NamedTuple):
    """Arrays, where each lies, how many elements it has of how many bytes, and where this is found: one number.

    `addresses` have shape (n_arrays, 3).
    """

    arrays: tuple[NDArray[Any], ...]
    addresses: NDArray[np.int64]
    place: int


def addresses_of(arrays: Iterable[tuple[NDArray[Any], DTypeLike]]) -> Addresses:
    """Return where arrays lie, each of the type that is named, for `price_at`."""
    kept = tuple(np.ascontiguousarray(values, kind) for values, kind in arrays)
    addresses = np.array([(own.ctypes.data, len(own), own.itemsize) for own in kept])
    return Addresses(kept, addresses, addresses.ctypes.data)


def _as_pointer(_typing: Any, _address: Any) -> Any:
    """Compile an address to a pointer."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), code


_pointer: Any = intrinsic(_as_pointer)


@numba.njit(cache=True, nogil=True)
def _array(place: int, number: int, kind: Any) -> Any:
    own = carray(_pointer(place), (number + 1, 3), np.int64)[number]
    return carray(_pointer(own[0]), own[1], kind)


@numba.njit(cache=True, nogil=True)
def _has_bytes(place: int, number: int) -> Any:
    return carray(_pointer(place), (number + 1, 3), np.int64)[number, 2] == 1


@numba.njit(cache=True, nogil=True)
def _found(place: int, kinds: Any, product: int, stock: int, ticks_left: int) -> tuple[int, int, float]:
    return find(
        _array(place, 0, np.int64),
        _array(place, 1, np.int64),
        _array(place, 2, kinds[0]),
        _array(place, 3, kinds[0]),
        _array(place, 4, kinds[0]),
        _array(place, 5, kinds[1]),
        _array(place, 6, np.float64),
        product,
        stock,
        ticks_left,
    )


@numba.njit(cache=True, nogil=True)
def price_at(place: int, product: int, stock: int, ticks_left: int) -> tuple[float, float, int, float]:
    """Return the price of a state, EUR, the chance of sale, the rule, and the value of one more unit, NaN if unknown.

    `place` is that of the addresses of the arrays that `find` takes, then of `prices`, `rule`, `chance_from` and
    `p_sale` of `serving.price_book`.
    """
    if _has_bytes(place, 4):
        if _has_bytes(place, 5):
            step, since, value = _found(place, (np.uint8, np.uint8), product, stock, ticks_left)
        else:
            step, since, value = _found(place, (np.uint8, np.int16), product, stock, ticks_left)
    elif _has_bytes(place, 5):
        step, since, value = _found(place, (np.int16, np.uint8), product, stock, ticks_left)
    else:
        step, since, value = _found(place, (np.int16, np.int16), product, stock, ticks_left)
    price, p_sale, chance = _array(place, 7, np.float64), _array(place, 10, np.float64), step
    if len(p_sale) > len(price):  # else each step has one
        chance_from = _array(place, 9, np.int32)
        chance = min(chance_from[step] + since, chance_from[step + 1] - 1)
    return price[step], p_sale[chance], _array(place, 8, np.int16)[step], value


def compiled_price_at() -> PriceAt:
    """Return `price_at` for whole numbers: Numba looks anew at each call for what it compiled, half of the time."""
    found: PriceAt = price_at.compile((types.int64,) * 4)
    return found


@numba.njit(cache=True, nogil=True)
def prices_at(place: int, product: Ints, stock: Ints, ticks_left: Ints) -> tuple[Floats, Floats]:
    """Return the prices of states, EUR, and the chances of sale, shape (n_states,)."""
    prices, chances = np.empty(len(product)), np.empty(len(product))
    for state in range(len(product)):
        price, chance, _, _ = price_at(place, product[state], stock[state], ticks_left[state])
        prices[state], chances[state] = price, chance
    return prices, chances
