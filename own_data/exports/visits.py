"""Admit visits to the lake, date by date: a row becomes a decision, or is rejected with a reason.

Preconditions: at least one row of the export can be read, and only one export is admitted at a time, so that there is
one row per decision. Rows that repeat a decision of another file are rejected, so files that overlap count once.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats, Ints
from catalog.clocks import local_us
from catalog.names import EXTERNAL
from catalog.store_day import BOUGHT, OUT_OF_STOCK, OUTCOMES, TOO_EXPENSIVE
from catalog.tables.decisions import INTERACTIONS, REJECTED
from etl.load import conform
from etl.validate import Validated, row_texts, validate
from own_data.exports.admission import CHANGES, EPOCH, Checked, FileAdmission
from own_data.exports.estimate_shelf import places_on
from own_data.exports.names import store_id_of
from own_data.exports.promotions import promoted, promotions_of
from own_data.exports.seen import SeenInExport
from warehouse.parquet import coded, constant, moments

_US_PER_MINUTE = 60_000_000
_MINUTES_PER_DAY = 1_440
_IN_LAKE = "it repeats a decision that is in the lake already"
_ROW = list(INTERACTIONS.key)
_SAID = [*_ROW, "price_offered", "purchased", "inventory_level"]


@dataclass(frozen=True)
class Shares:
    """How often the export shows each price of each product: `keys` ascending, `share` of the product's rows."""

    prices: Floats
    keys: Ints
    share: Floats

    def of(self, product: Ints, price: Floats) -> Floats:
        """Return the share of each row's price, shape (n_rows,); each price of a product is looked up once."""
        rank, distinct = pd.factorize(price, use_na_sentinel=False)
        place, keys = pd.factorize(product * len(self.prices) + np.searchsorted(self.prices, distinct)[rank])
        return self.share[np.searchsorted(self.keys, keys)][place]


class AdmittingVisits:
    """Admits visits, one date after another; the dates are independent of each other."""

    def __init__(self, admission: FileAdmission, shares: Shares) -> None:
        self.given = admission
        self.places = places_on(admission.catalog, admission.staged)
        self.shares = shares

    def begin(self) -> None:
        """Begin at the first date: no date depends on another."""

    def check(self, date: int) -> Checked:
        """Validate one date; nothing is published."""
        given = self.given
        day = EPOCH + dt.timedelta(days=date)
        counts: dict[str, float] = {}
        bad, tables = [given.unreadable(date)], {"interactions": INTERACTIONS.schema.empty_table()}
        if date in given.staged.spans:
            own = given.staged.on(date)
            ordered = self._by_store_and_time(own)
            lines = ordered["line"].to_numpy()
            checked = validate(self._interactions(ordered), given.catalog, given.source, given.not_after, lines)
            kept = np.isin(lines, checked.rejected["row_number"].to_numpy(), invert=True)
            checked = without_repeats(given, day, checked.valid, lines[kept], checked.rejected)
            tables["interactions"] = conform(checked.valid)
            bad.append(checked.rejected)
            kept = np.isin(own["line"].to_numpy(), checked.rejected["row_number"].to_numpy(), invert=True)
            beside = promotions_of(given.staged, own.filter(pa.array(kept)), self.places, given.catalog)
            if beside is not None:
                tables["promotions"] = beside
                counts["promoted"] = promoted(beside)
        tables["rejected"] = pa.concat_tables(bad).sort_by("row_number").cast(REJECTED.schema)
        return Checked(day, tables, tables["interactions"].num_rows, counts)

    def _by_store_and_time(self, own: pa.Table) -> pa.Table:
        """Return rows in the order of `interactions`, in which repeats stand together; equal ones as in the file."""
        names = [store_id_of(word) for word in self.given.staged.stores.words]
        rank = np.unique(names, return_inverse=True)[1].astype(np.int16)[own["store"].to_numpy()]  # few bits sort soon
        by_time = np.argsort(own["seen_at"].to_numpy(), kind="stable")
        return own.take(by_time[np.argsort(rank[by_time], kind="stable")])

    def _interactions(self, own: pa.Table) -> pa.Table:
        """Return rows with the columns of `interactions`; a product that is not on the shelf keeps its own name."""
        catalog, staged = self.given.catalog, self.given.staged
        n_rows = own.num_rows
        code = own["product"].to_numpy().astype(np.int64)
        place = np.where(self.places[code] >= 0, self.places[code], len(catalog.skus) + code)
        words = staged.products.words
        purchased = own["purchased"].to_numpy()
        stock = own["inventory_level"] if "inventory_level" in own.column_names else pa.nulls(n_rows, pa.float64())
        is_empty = pc.fill_null(pc.equal(stock, 0.0), pa.scalar(value=False)).to_numpy(zero_copy_only=False)
        outcome = np.where(purchased, BOUGHT, np.where(is_empty, OUT_OF_STOCK, TOO_EXPENSIVE))
        multiplier = own["budget_multiplier"] if "budget_multiplier" in own.column_names else pa.nulls(n_rows)
        price = own["price_offered"].to_numpy()
        shares = pa.array(self.shares.of(code, price))
        return pa.table(
            {
                "store_id": coded(own["store"].to_numpy(), [store_id_of(word) for word in staged.stores.words]),
                "tick": pa.array(self._ticks(own)),
                "seen_at": moments(own["seen_at"].to_numpy()),
                "shopper_id": _shoppers(own),
                "sku": coded(place, [*catalog.skus, *words]),
                "product_name": coded(place, [*(product.name for product in catalog.products), *words]),
                "price_offered": own["price_offered"],
                "inventory_level": stock,
                "budget_multiplier": multiplier.cast(pa.float32()),
                "purchased": own["purchased"],
                "outcome": coded(outcome, OUTCOMES),
                "policy": constant(EXTERNAL, n_rows),
                "propensity": pc.coalesce(own["propensity"], shares) if "propensity" in own.column_names else shares,
                "model_version": constant(None, n_rows),
                "sticker_eur": pa.nulls(n_rows, pa.float64()),
            }
        )

    def _ticks(self, own: pa.Table) -> Ints:
        """Return each row's tick, -1 outside the opening hours, shape (n_rows,)."""
        store, opening = self.given.catalog.store, self.given.catalog.store.opening
        zones = [store.clock_of(store_id_of(word)).time_zone for word in self.given.staged.stores.words]
        local = local_us(zones, own["store"].to_numpy(), own["seen_at"].to_numpy())
        minute = local // _US_PER_MINUTE % _MINUTES_PER_DAY - opening.opens_minute
        return np.where((minute >= 0) & (minute < opening.minutes), minute // opening.tick_minutes, -1)


def without_repeats(given: FileAdmission, day: dt.date, valid: pa.Table, lines: Ints, rejected: pa.Table) -> Validated:
    """Reject rows that are decisions of another file already, or that say otherwise of one."""
    known = [given.lake.read(partition).select(_SAID) for partition in given.others("interactions", day)]
    if not known:
        return Validated(valid, rejected)
    earlier = pa.concat_tables(known)
    is_known = _are_among(valid.select(_ROW), earlier.select(_ROW))
    is_same = _are_among(valid.select(_SAID), earlier)
    at = np.flatnonzero(is_known)
    bad = pa.table(
        {
            "source": constant(given.source, len(at)),
            "row_number": pa.array(lines[at]),
            "reason": coded(np.where(is_same[at], 0, 1), [_IN_LAKE, CHANGES]),
            "row_text": row_texts(valid, at),
        },
        schema=REJECTED.schema,
    )
    return Validated(valid.filter(pa.array(~is_known)), pa.concat_tables([rejected, bad]))


def _are_among(rows: pa.Table, known: pa.Table) -> Flags:
    """Flag the rows that are in `known`, shape (n_rows,)."""
    both = pd.concat([_keys(known), _keys(rows)], ignore_index=True)
    return both.duplicated().to_numpy()[known.num_rows :]


def _keys(rows: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows.to_pandas()
    kinds = {"store_id": "str", "sku": "str", "inventory_level": "float64"}
    return frame.astype({name: kind for name, kind in kinds.items() if name in frame})


def _shoppers(own: pa.Table) -> pa.Array:
    """Return the shoppers; where the file names none, simultaneous visits to one product of a store are numbered."""
    shopper = own["shopper"]
    if shopper.null_count == 0:
        return shopper
    keys = pd.DataFrame({name: own[name].to_numpy() for name in ("store", "seen_at", "product")})
    return pa.array(keys.groupby(["store", "seen_at", "product"], sort=False).cumcount().to_numpy())


def shares_of(seen: SeenInExport) -> Shares:
    """Return how often an export shows each price of each product."""
    product, price = seen.prices["product"].to_numpy(np.int64), seen.prices["price_offered"].to_numpy()
    prices = np.unique(price)
    keys = product * len(prices) + np.searchsorted(prices, price)
    rows = seen.prices["rows"].to_numpy(float)
    return Shares(prices, keys, rows / np.bincount(product, rows)[product])
