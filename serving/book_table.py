"""A price book as rows of `price_steps` and back; and from the rows of earlier versions, one for each state."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Ints
from catalog.memory import give_back
from catalog.tables.prices import PRICE_STEPS
from serving.limited_steps import Limited
from serving.price_book import PriceBook, joined
from serving.price_steps import NO_VALUE, Steps, as_kept, as_small, in_units, order_by_tick, pieces, step_after_step
from serving.steps_of_states import steps_of
from warehouse.parquet import coded, constant, moments

_UNKNOWN = np.iinfo(np.int16).min  # less than any value


def book_to_table(book: PriceBook, made_from: str) -> pa.Table:
    """Return the book in the columns of `price_steps`; `made_from` is what its receipt will say."""
    steps, rows = book.steps, len(book.prices)
    begin = steps.begin.astype(np.int32)
    product = np.repeat(np.arange(len(book.skus)), np.diff(steps.first_step))
    limited = book.limited
    unconstrained, p_own = book.prices, np.zeros(len(book.p_sale))  # zeros that are never written to take no memory
    is_told = np.zeros(len(p_own), dtype=bool)
    if len(limited.asked):
        unconstrained = unconstrained.copy()
        unconstrained[limited.limited_step] = limited.asked
    own = pieces(book.chance_from, limited.limited_step)[1]
    p_own[own], is_told[own] = limited.p_asked, ~np.isnan(limited.p_asked)
    columns = {
        "sku": coded(product, book.skus),
        "step": (np.arange(rows) - steps.first_step[product]).astype(np.int32),
        "price": book.prices,
        "unconstrained_price": unconstrained,
        "binding_rule": coded(book.rule, book.rules),
        "policy_rule": coded(book.policy_rule, book.rules),
        "ticks_from": steps.first_tick,
        "stock_from": _listed(begin, pa.array(_by_step(steps, steps.stock_from).astype(np.int16, copy=False))),
        "unit_value": _listed(begin, _units(_by_step(steps, steps.value))),
        "value_unit": steps.value_unit[product],
        "p_sale": _listed(book.chance_from, pa.array(book.p_sale)),
        "unconstrained_p_sale": _listed(book.chance_from, pa.array(p_own, mask=~is_told)),
        "par_stock": book.par_stock[product].astype(np.int32),
        "policy": constant(book.policy, rows),
        "model_version": constant(book.model_version, rows),
        "published_at": moments(np.full(rows, round(book.published_at.timestamp() * 1_000_000))),
        "made_from": constant(made_from, rows),
    }
    return pa.table(columns).cast(PRICE_STEPS.schema)


def book_from_parts(parts: Iterable[pa.Table]) -> PriceBook:
    """Return the book of rows that come in parts, one after another, so that few of them are there at once."""
    return joined(map(book_from_table, _whole_products(parts)))


def _whole_products(parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield rows of steps so that no product is cut; rows of earlier versions all at once."""
    rest = None
    for part in parts:
        rows = part if rest is None else pa.concat_tables([rest, part])
        begins = np.flatnonzero(rows["step"].to_numpy() == 0) if "step" in rows.column_names else [0]
        if begins[-1]:
            yield rows[: begins[-1]]
            give_back()
        rest = rows[begins[-1] :]
    yield rest


def book_from_table(table: pa.Table) -> PriceBook:
    """Return the book that a partition of `price_steps` holds, or one of `price_book` of earlier versions."""
    if "inventory_level" in table.column_names:
        return _from_states(table)
    first = np.flatnonzero(table["step"].to_numpy() == 0)
    first_step, skus = np.append(first, len(table)), _words_at(table["sku"], first)
    begin, of_threshold = _flat(table["stock_from"])
    begin_of_chances, p_sale = _flat(table["p_sale"])
    price, chance_from = table["price"].to_numpy(), begin_of_chances.astype(np.int32)
    (rule, policy_rule), rules = _rules(table)
    units = _flat(table["unit_value"], _UNKNOWN)[1]
    stocks_and_ticks = of_threshold, table["ticks_from"].to_numpy(), np.diff(begin)
    of_threshold, first_tick, lengths = as_small(*stocks_and_ticks)
    by_tick = order_by_tick(first_step, first_tick, lengths)
    stock_from, value = (own[by_tick] for own in (of_threshold, *as_small(as_kept(units, units != _UNKNOWN))))
    value_unit = table["value_unit"].to_numpy()[first]
    steps = Steps(first_step, begin[first_step], first_tick, lengths, stock_from, value, value_unit)
    return PriceBook(
        skus=tuple(skus),
        par_stock=table["par_stock"].to_numpy()[first].astype(np.int64),
        n_ticks=steps.n_ticks,
        steps=steps,
        prices=price,
        rule=rule,
        policy_rule=policy_rule,
        chance_from=chance_from,
        p_sale=p_sale,
        limited=Limited.among(
            price, table["unconstrained_price"].to_numpy(), chance_from, _flat(table["unconstrained_p_sale"])[1]
        ),
        rules=rules,
        **_made(table),
    )


def _from_states(table: pa.Table) -> PriceBook:
    """Return the book of rows that hold a state each, up to the par of each product."""
    codes, skus = _words(table["sku"])
    level, left = (table[name].to_numpy().astype(np.int64) for name in ("inventory_level", "ticks_left"))
    par = np.zeros(len(skus), dtype=np.int64)
    np.maximum.at(par, codes, level)
    shape = (len(skus), int(left.max()), int(par.max()) + 1)
    row = np.zeros(shape, dtype=np.int64)
    row[codes, left - 1, level] = np.arange(len(codes))
    row = np.take_along_axis(row, np.minimum(np.arange(shape[2]), par[:, None])[:, None], axis=2)

    names = ("price", "unconstrained_price", "p_sale", "unconstrained_p_sale", "unit_value")
    price, unconstrained, p_sale, p_own, unit_value = (table[name].to_numpy().astype(np.float64) for name in names)
    p_own = np.where(np.isnan(p_own) & (price == unconstrained), p_sale, p_own)
    (rule, policy_rule), rules = _rules(table)
    kind = pd.factorize(price)[0] * len(rules) ** 2 + rule * len(rules) + policy_rule
    steps, states = steps_of(unconstrained[row], kind.astype(np.int32)[row], p_own[row], unit_value[row], par)
    at = row.ravel()[states]
    of_step, (chance_from, chances) = at[steps.begin[:-1]], steps.told_once(p_sale[at], p_own[at])
    return PriceBook(
        skus=tuple(skus),
        par_stock=par,
        n_ticks=shape[1],
        steps=steps,
        prices=price[of_step],
        rule=rule[of_step],
        policy_rule=policy_rule[of_step],
        chance_from=chance_from,
        p_sale=p_sale[at][chances],
        limited=Limited.among(price[of_step], unconstrained[of_step], chance_from, p_own[at][chances]),
        rules=rules,
        **_made(table),
    )


def _made(table: pa.Table) -> dict[str, Any]:
    """Return what is the same in all rows: from which policy and model a book was made, and for which day."""
    own = {name: table[name][0].as_py() for name in ("policy", "model_version", "published_at")}
    return own | {"published_at": own["published_at"].astimezone(dt.UTC)}


def _by_step(steps: Steps, values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(step_after_step(steps.first_step, steps.first_tick, steps.lengths, values))


def _units(kept: NDArray[Any]) -> pa.Array:
    return pa.array(in_units(kept), mask=kept == NO_VALUE)


def _listed(begin: NDArray[np.int32], values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(begin), values)


def _flat(column: pa.ChunkedArray, null: float = np.nan) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return where the lists of a column begin, and all values one after another."""
    lengths, flat = zip(*((lists.value_lengths(), lists.flatten()) for lists in column.chunks), strict=True)
    begin = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return begin, np.concatenate([own.fill_null(null) if own.null_count else own for own in flat])


def _words(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Return the word of each row as a position, and the words in the order in which they come; -1 for null.

    Each chunk has few of a chain's words, and a dictionary of all.
    """
    words, rows = dict[str, int](), []
    for chunk in column.chunks:
        own, found = pd.factorize(chunk.indices.fill_null(-1).to_numpy(), use_na_sentinel=False)
        own_words = chunk.dictionary.take(pa.array(found, mask=found < 0)).to_pylist()
        place = np.array([-1 if word is None else words.setdefault(word, len(words)) for word in own_words])
        rows.append(place[own])
    return np.concatenate(rows), list(words)


def _words_at(column: pa.ChunkedArray, rows: Ints) -> list[str]:
    """Return the words of some rows, which ascend: to code all rows anew takes longer."""
    begin, found = 0, list[str]()
    for chunk in column.chunks:
        own = rows[slice(*np.searchsorted(rows, [begin, begin + len(chunk)]))] - begin
        found += chunk.dictionary.take(chunk.indices.take(pa.array(own))).to_pylist()
        begin += len(chunk)
    return found


def _rules(table: pa.Table) -> tuple[tuple[NDArray[np.int16], NDArray[np.int16]], tuple[str, ...]]:
    """Return the binding rule and the policy's rule of each row as positions in a tuple of names, and that tuple.

    A book older than the column of the policy's rule tells the binding rule alone.
    """
    (binding, names), (own, own_names) = _words(table["binding_rule"]), _words(table["policy_rule"])
    rules = tuple(dict.fromkeys([*names, *own_names]))
    of_policy = np.array([*map(rules.index, own_names), -1], dtype=np.int16)[own]
    by_limit = binding.astype(np.int16)
    return (by_limit, np.where(of_policy < 0, by_limit, of_policy).astype(np.int16)), rules
