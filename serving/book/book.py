"""A price book: the price of each product in every state of its shelf, looked up, and kept as rows of `booked_prices`.

Arrays are dense by product, tick and stock. A state holds the position of its price among the product's prices, in a
byte as a rule, because prices on a ladder are few; their chances of sale are kept by tick.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.tables.contracts import TABLES
from serving.optimise.policies import Asked
from warehouse.parquet import coded, constant, moments

Codes = NDArray[np.unsignedinteger[Any]]
_TABLE = TABLES["booked_prices"].schema


class BookCells(NamedTuple):
    """What a book holds by product, tick and stock, shape (n_products, n_ticks, n_levels).

    Position 0 of the last axes is one tick left, and an empty shelf. The first two are positions among the product's
    prices, under the static limits and before them. The rules are positions among the book's: the last limit that
    changed the price, else the policy's rule; and that rule. `unit_value` is the value of one more unit kept, EUR; NaN
    where the policy does not value stock.
    """

    price_position: Codes
    unconstrained_position: Codes
    unit_value: Floats
    binding_rule: Codes
    policy_rule: Codes


class BookedStates(NamedTuple):
    """What a book holds in some states, in arrays of one shape.

    `prices` are those to show under the static limits, `unconstrained` the policy's own before them, EUR; `p_sale` and
    `p_unconstrained` are the chances of sale at them, 0 with an empty shelf. The rest is as in `BookCells`.
    """

    prices: Floats
    unconstrained: Floats
    p_sale: Floats
    p_unconstrained: Floats
    unit_value: Floats
    rule: Codes
    policy_rule: Codes


@dataclass(frozen=True)
class PriceBook:
    """Prices by product, time and stock. A stock above a product's par has the answer at par.

    Attributes
    ----------
    ladder
        The prices that each product has in some state, EUR, ascending, shape (n_products, n_prices); NaN beyond them.
    chances
        Chance of sale at each of them by tick, shape (n_products, n_ticks, n_prices); NaN where no state has it.
    """

    skus: tuple[str, ...]
    par_stock: Ints
    ladder: Floats
    chances: Floats
    cells: BookCells
    rules: tuple[str, ...]
    policy: str
    model_version: str
    published_at: dt.datetime

    @property
    def n_ticks(self) -> int:
        """Ticks of the day that it prices, up to closing."""
        return self.cells.price_position.shape[1]

    @property
    def n_levels(self) -> int:
        """Stock levels up to the highest par, 0 included."""
        return self.cells.price_position.shape[2]

    def at(self, product: Ints | int, stock: Ints | int, ticks_left: Ints | int) -> BookedStates:
        """Look many states up at once, in the shape of the arguments."""
        tick, level = np.asarray(ticks_left) - 1, np.minimum(stock, self.n_levels - 1)
        price, unconstrained, unit_value, rule, policy_rule = (values[product, tick, level] for values in self.cells)

        def chance(position: Codes) -> Floats:
            return np.where(level == 0, 0.0, self.chances[product, tick, position])

        prices, of_policy = self.ladder[product, price], self.ladder[product, unconstrained]
        sold = chance(price), chance(unconstrained)
        return BookedStates(prices, of_policy, *sold, unit_value.astype(float), rule, policy_rule)

    @property
    def opening(self) -> BookedStates:
        """What each product has on a full shelf with all ticks left, shape (n_products,)."""
        return self.at(np.arange(len(self.skus)), self.n_levels - 1, self.n_ticks)

    def of(self, products: Ints | int | slice = slice(None)) -> BookedStates:
        """Return all states of some products, shape (..., n_levels, n_ticks); position t has t + 1 ticks left."""
        chosen = np.arange(len(self.skus))[products][..., None, None]
        return self.at(chosen, np.arange(self.n_levels)[:, None], np.arange(1, self.n_ticks + 1))

    def policy_of(self, product: int) -> "BookPolicy":
        """Return the policy of one product."""
        return BookPolicy(self.take(np.array([product])))

    def take(self, products: Ints) -> "PriceBook":
        """Return the book of some products, in this order."""
        return replace(
            self,
            skus=tuple(self.skus[product] for product in products.tolist()),
            par_stock=self.par_stock[products],
            ladder=self.ladder[products],
            chances=self.chances[products],
            cells=BookCells._make(values[products] for values in self.cells),
        )


def joined(books: Sequence[PriceBook]) -> PriceBook:
    """Return one book of the products of several, which are of one policy, shelf and day."""
    if len(books) == 1:
        return books[0]

    def whole(parts: list[NDArray[Any]], **beyond: Any) -> NDArray[Any]:
        longest = max(part.shape[-1] for part in parts)
        widths = [[(0, 0)] * (part.ndim - 1) + [(0, longest - part.shape[-1])] for part in parts]
        return np.concatenate([np.pad(part, width, **beyond) for part, width in zip(parts, widths, strict=True)])

    return replace(
        books[0],
        skus=tuple(sku for book in books for sku in book.skus),
        par_stock=np.concatenate([book.par_stock for book in books]),
        ladder=whole([book.ladder for book in books], constant_values=np.nan),
        chances=whole([book.chances for book in books], constant_values=np.nan),
        cells=BookCells._make(
            whole(list(parts), mode="edge") for parts in zip(*(book.cells for book in books), strict=True)
        ),
    )


def positions_of(prices: Floats) -> tuple[Floats, Codes]:
    """Return the distinct prices of each product, ascending, NaN beyond them, and the position of each of its prices.

    `prices` have the shape (n_products, n_states).
    """
    codes, ladders = zip(*(pd.factorize(values, sort=True) for values in prices), strict=True)
    longest = max(map(len, ladders))
    ladder = np.stack([np.pad(values, (0, longest - len(values)), constant_values=np.nan) for values in ladders])
    return ladder, np.stack(codes).astype(np.min_scalar_type(longest - 1))


@dataclass(frozen=True)
class BookPolicy:
    """The prices of a book's policy before any limit, looked up: what a quote explains."""

    book: PriceBook

    @property
    def name(self) -> str:
        """Name of the policy the book was made from."""
        return self.book.policy

    @property
    def model_version(self) -> str | None:
        """Registered model version behind the book."""
        return self.book.model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """The book's rules."""
        return self.book.rules

    def ask(self, shelf: Shelf) -> Asked:
        """Look every product up at its stock and time."""
        states = self.book.at(np.arange(len(self.book.skus)), shelf.stock, shelf.ticks_left)
        rule = states.policy_rule.astype(np.int64)
        return Asked(states.unconstrained, rule, states.p_unconstrained, states.unit_value)


def book_to_table(book: PriceBook) -> pa.Table:
    """Return the book in the columns of `booked_prices`: each product up to its par."""
    n_products, n_ticks, n_levels = book.cells.price_position.shape
    product = np.repeat(np.arange(n_products), n_ticks)
    is_priced, is_up_to_par = np.isfinite(book.ladder)[product], np.arange(n_levels) <= book.par_stock[product, None]
    narrow = book.cells._replace(unit_value=book.cells.unit_value.astype(np.float32))
    cells = [_listed(values.reshape(-1, n_levels), is_up_to_par) for values in narrow]
    rules = pa.array(book.rules)
    columns = [
        coded(product, book.skus),
        np.tile(np.arange(1, n_ticks + 1), n_products),
        _listed(book.ladder[product], is_priced),
        _listed(book.chances.reshape(len(product), -1), is_priced),
        *cells[:3],
        *(
            pa.ListArray.from_arrays(
                listed.offsets, pa.DictionaryArray.from_arrays(listed.values.cast(pa.int8()), rules)
            )
            for listed in cells[3:]
        ),
        constant(book.policy, len(product)),
        constant(book.model_version, len(product)),
        moments(np.full(len(product), round(book.published_at.timestamp() * 1_000_000))),
    ]
    return pa.table(columns, names=_TABLE.names).cast(_TABLE)


def _listed(values: NDArray[Any], is_held: Flags) -> pa.ListArray:
    """Return a list of what each row holds of values, shape (n_rows, n_values)."""
    begin = np.concatenate([[0], np.cumsum(is_held.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(begin, pa.array(values[is_held], from_pandas=True))


def book_from_table(table: pa.Table) -> PriceBook:
    """Return the book that a partition of `booked_prices` holds."""
    n_ticks = int(table["ticks_left"].to_numpy().max())
    first = np.arange(0, len(table), n_ticks)
    lists = {name: table[name].combine_chunks() for name in ("ladder", "chances", *BookCells._fields)}
    lengths = {name: column.value_lengths().to_numpy().astype(np.int64) for name, column in lists.items()}
    values = {name: column.flatten() for name, column in lists.items()}
    words = pa.chunked_array([values["binding_rule"], values["policy_rule"]]).unify_dictionaries()
    values |= zip(
        ("binding_rule", "policy_rule"), (chunk.indices.cast(pa.uint8()) for chunk in words.chunks), strict=True
    )

    def dense(name: str) -> NDArray[Any]:
        """Return a column in shape (n_products, n_ticks, n_values); short lists go on as they end."""
        begin, place = np.cumsum(lengths[name]) - lengths[name], np.arange(lengths[name].max())
        positions = begin[:, None] + np.minimum(place, lengths[name][:, None] - 1)
        return np.asarray(values[name].to_numpy(zero_copy_only=False)[positions].reshape(len(first), n_ticks, -1))

    ladder = dense("ladder")[:, 0]
    is_beyond = np.arange(ladder.shape[1]) >= lengths["ladder"][first, None]
    return PriceBook(
        skus=tuple(table["sku"].take(first).to_pylist()),
        par_stock=lengths["price_position"][first] - 1,
        ladder=np.where(is_beyond, np.nan, ladder),
        chances=np.where(is_beyond[:, None], np.nan, dense("chances")),
        cells=BookCells._make(map(dense, BookCells._fields)),
        rules=tuple(words.chunk(0).dictionary.to_pylist()),
        policy=table["policy"][0].as_py(),
        model_version=table["model_version"][0].as_py(),
        published_at=table["published_at"][0].as_py().astimezone(dt.UTC),
    )
