"""Admit units and receipts to the lake, date by date: lines become units of a store, product and time at a price.

Preconditions: only one export is admitted at a time, and dates are checked in order, because a day without a sale is
told from an empty shelf by the days before. Sales that another file has brought already are rejected, so that files
that overlap count once.
"""

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Ints
from catalog.store_day import hour_shares
from catalog.tables.decisions import REJECTED, UNIT_SALES
from etl.sales_so_far import NextPrices, SalesSoFar, days_before
from etl.summed_units import chances_of, in_contract, summed
from etl.validate import row_texts
from own_data.exports.admission import CHANGES, EPOCH, Checked, FileAdmission
from own_data.exports.check_lines import reasons_against
from own_data.exports.estimate_shelf import places_on
from own_data.exports.names import store_id_of
from own_data.exports.promotions import promoted, promotions_of
from warehouse.parquet import coded, constant

_PAIR = ["store", "product"]
_NEVER = np.iinfo(np.int64).max
_SAID = ("units", "returned_units", "traffic", "stock")
_IN_LAKE = "it repeats sales that are in the lake already"


class AdmittingSales:
    """Admits units or receipts, one date after another."""

    def __init__(self, admission: FileAdmission) -> None:
        self.given = admission
        staged = admission.staged
        self.places = places_on(admission.catalog, staged)
        self.store_ids = np.array([store_id_of(word) for word in staged.stores.words], dtype=str)
        self._count_pairs()
        self.before = list(self._weeks_before())
        self.begin()

    def begin(self) -> None:
        """Begin at the first date: what is known before it is what other files sold."""
        self.so_far = SalesSoFar(len(self.pairs))
        for date, known in self.before:
            self._remember(date, known)

    def check(self, date: int) -> Checked:
        """Validate one date; nothing is published."""
        given, day = self.given, EPOCH + dt.timedelta(days=date)
        bad = [given.unreadable(date)]
        if date not in given.staged.spans:
            return Checked(day, {"rejected": bad[0], "unit_sales": UNIT_SALES.schema.empty_table()}, 0)
        own = given.staged.on(date)
        lines = self._lines(own)
        self.so_far.begin(date)
        lines["price"] = self._prices(lines)
        reason, sentences = reasons_against(lines, given)
        rows = summed(lines[reason == 0])
        known = self._known(day)
        same, other = self._overlap(rows, known)
        for number, pairs in ((len(sentences), same), (len(sentences) + 1, other)):
            reason[(reason == 0) & lines["pair"].isin(pairs).to_numpy()] = number
        sentences += [_IN_LAKE, CHANGES]
        pair = self._pair_of(rows)
        is_new = ~np.isin(pair, np.r_[same, other])
        rows, pair = rows[is_new], pair[is_new]
        n_sold = len(rows)
        if given.staged.grain == "receipts":
            rows = pd.concat([rows, self._without_a_sale(date, rows, pair, known)], ignore_index=True)
        sales, counts = self._unit_sales(date, rows)
        bad.append(self._rejected(own, lines, reason, sentences))
        tables = {"unit_sales": sales, "rejected": pa.concat_tables(bad).sort_by("row_number").cast(REJECTED.schema)}
        beside = promotions_of(given.staged, own.filter(pa.array(reason == 0)), self.places, given.catalog)
        if beside is not None:
            tables["promotions"] = beside
            counts["promoted"] = promoted(beside)
        counts["zero_days"] = len(rows[n_sold:].drop_duplicates(_PAIR))
        return Checked(day, tables, int((reason == 0).sum()), counts)

    def _count_pairs(self) -> None:
        """Find each pair of a store and a product, its first and last date with a sale, and what it then cost."""
        staged = self.given.staged
        self.n_products = len(staged.products.words)
        self.pairs, self.first, self.last = np.zeros((3, 0), np.int64)
        for date in sorted(staged.spans):
            own = staged.on(date)
            keys = self._key(own["store"].to_numpy(), own["product"].to_numpy())
            new = np.unique(keys[~np.isin(keys, self.pairs)])
            at = np.searchsorted(self.pairs, new)
            self.pairs, self.first, self.last = (
                np.insert(before, at, fill)
                for before, fill in ((self.pairs, new), (self.first, _NEVER), (self.last, -1))
            )
            sold = np.searchsorted(self.pairs, keys[own["units"].to_numpy() > 0])
            self.first[sold], self.last[sold] = np.minimum(self.first[sold], date), date
        self.next_prices = NextPrices(self._sold(), self._key) if staged.grain == "receipts" else None

    def _sold(self) -> Iterator[pa.Table]:
        """Yield the lines of each date that sold something."""
        for date in self.given.staged.spans:
            yield self.given.staged.on(date).filter(pc.field("units") > 0)

    def _key(self, store: Ints, product: Ints) -> Ints:
        return store.astype(np.int64) * self.n_products + product

    def _pair_of(self, rows: pd.DataFrame) -> Ints:
        return np.searchsorted(self.pairs, self._key(rows["store"].to_numpy(), rows["product"].to_numpy()))

    def _lines(self, own: pa.Table) -> pd.DataFrame:
        names = {"price_offered": "price", "inventory_level": "stock"}
        wanted = ("line", *_PAIR, "seen_at", "units", "price_offered", "hour", "receipt", "traffic", "inventory_level")
        lines = own.select([name for name in wanted if name in own.column_names]).to_pandas().rename(columns=names)
        if "hour" not in lines:
            lines["hour"] = np.int8(-1)
        lines["place"] = self.places[lines["product"].to_numpy()]
        lines["pair"] = self._pair_of(lines)
        return lines

    def _prices(self, lines: pd.DataFrame) -> pd.Series:
        """Return the price of each line; where none was sold and none is written, the last one of its pair before."""
        if not lines["price"].isna().any():
            return lines["price"]
        in_order = lines.sort_values(["pair", "hour"], kind="stable")
        known = in_order.groupby("pair", sort=False)["price"]
        before = known.ffill().fillna(pd.Series(self.so_far.last_price[in_order["pair"]], index=in_order.index))
        return before.fillna(known.bfill()).reindex(lines.index)

    def _known(self, day: dt.date) -> pd.DataFrame:
        """Return what other files sold on a date, with the pairs of this file; -1 for pairs that it does not have."""
        parts = self.given.others("unit_sales", day)
        if not parts:
            return pd.DataFrame({"pair": np.array([], dtype=np.int64)})
        columns = ["store_id", "sku", "hour", "price", "is_sudden_zero", *_SAID]
        frame = pa.concat_tables(self.given.lake.read(part).select(columns) for part in parts).to_pandas()
        frame = frame.astype({"store_id": "str", "sku": "str"})
        frame["hour"] = frame["hour"].fillna(-1).astype("int8")
        stores = {name: code for code, name in enumerate(self.store_ids.tolist())}
        skus = self.given.catalog.skus
        products = {skus[place]: code for code, place in enumerate(self.places) if place >= 0}
        codes = frame.assign(store=frame["store_id"].map(stores), product=frame["sku"].map(products))
        has_both = codes["store"].notna() & codes["product"].notna()
        frame["pair"] = -1
        if has_both.any():
            key = self._key(*(codes.loc[has_both, name].to_numpy(dtype=np.int64) for name in _PAIR))
            at = np.minimum(np.searchsorted(self.pairs, key), len(self.pairs) - 1)
            frame.loc[has_both, "pair"] = np.where(self.pairs[at] == key, at, -1)
        return frame[frame["pair"] >= 0]

    def _overlap(self, rows: pd.DataFrame, known: pd.DataFrame) -> tuple[Ints, Ints]:
        """Return the pairs of a date that the lake has already: with the same sales, and with others."""
        if not len(known):
            return np.array([], np.int64), np.array([], np.int64)
        ours = rows.assign(pair=self._pair_of(rows))
        ours = ours[ours["pair"].isin(known["pair"])]
        beside = {"traffic": "traffic", "stock": "inventory_level"}
        has = self.given.staged.rows.schema.names
        said = [name for name in _SAID if name not in beside or beside[name] in has]
        both = ours.merge(known, on=["pair", "hour", "price"], how="outer", suffixes=("", "_known"))
        both = both[both["pair"].isin(ours["pair"])]
        differs = ~np.logical_and.reduce(
            [np.isclose(both[name], both[f"{name}_known"], equal_nan=name in beside) for name in said]
        )
        changed = both.loc[differs, "pair"].unique()
        return np.setdiff1d(ours["pair"].unique(), changed), np.asarray(changed, dtype=np.int64)

    def _without_a_sale(self, date: int, rows: pd.DataFrame, pair: Ints, known: pd.DataFrame) -> pd.DataFrame:
        """Return rows with no unit for what a store that was open sells at other times, at its last known price.

        Where the next price is another one, either may have stood: the day then has a row at each.
        """
        store = self.pairs // self.n_products
        is_there = (self.first <= date) & (date <= self.last) & np.isin(store, rows["store"].unique())
        is_there &= np.isfinite(self.so_far.last_price)
        is_there[pair] = False
        is_there[known["pair"].to_numpy()] = False
        at = np.flatnonzero(is_there)
        zeros = pd.DataFrame({"store": store[at], "product": self.pairs[at] % self.n_products, "hour": np.int8(-1)})
        traffic = rows.groupby("store")["traffic"].max()
        before = self.so_far.last_price[at]
        after = before if self.next_prices is None else self.next_prices.after(date, self.pairs[at])
        zeros = pd.concat([zeros.assign(price=before), zeros.assign(price=after)[after != before]], ignore_index=True)
        return zeros.assign(
            sold=0.0,
            returned_units=0.0,
            units=0.0,
            receipts=np.nan if rows["receipts"].isna().all() else 0.0,
            traffic=zeros["store"].map(traffic).astype(float),
            stock=np.nan,
        )

    def _unit_sales(self, date: int, rows: pd.DataFrame) -> tuple[pa.Table, dict[str, float]]:
        """Return rows in the columns of their contract, and remember the day."""
        catalog = self.given.catalog
        pair, place = self._pair_of(rows), self.places[rows["product"].to_numpy()]
        most = np.array([product.chances_per_day for product in catalog.products], dtype=float)
        chances = chances_of(rows, most[place], hour_shares(catalog.store))
        pairs, at = np.unique(pair, return_inverse=True)
        sold = np.bincount(at, rows["sold"], minlength=len(pairs)).astype(float)
        is_sudden = self.so_far.sudden_zeros(pairs, sold)[at] & rows["stock"].isna().to_numpy()
        chosen = np.lexsort((rows["sold"], at))  # of several prices, the one that sold most is the last
        price = np.full(len(pairs), np.nan)
        price[at[chosen]] = rows["price"].to_numpy()[chosen]
        flagged = np.zeros(len(pairs), dtype=bool)
        flagged[at] = is_sudden
        self.so_far.remember(date, pairs, sold, price, flagged)
        counts = {
            "returned_units": float(rows["returned_units"].sum()),
            "sudden_zeros": float(flagged.sum()),
            "more_than_most": float((rows["units"].to_numpy() > most[place]).sum()),
        }
        rows = rows.assign(chances=chances, is_sudden=is_sudden, place=place)
        return in_contract(rows, self.store_ids, catalog), counts

    def _rejected(self, own: pa.Table, lines: pd.DataFrame, reason: Ints, sentences: list[str]) -> pa.Table:
        bad = np.flatnonzero(reason)
        columns = [
            constant(self.given.source, len(bad)),
            pa.array(lines["line"].to_numpy()[bad]),
            coded(reason[bad], sentences),
            pa.array(row_texts(self._readable(own, bad), np.arange(len(bad))), pa.string()),
        ]
        return pa.table(columns, names=REJECTED.schema.names).cast(REJECTED.schema)

    def _readable(self, own: pa.Table, bad: Ints) -> pa.Table:
        """Return some rows with names in place of positions."""
        rows, staged = own.take(pa.array(bad)), self.given.staged
        for name, words in (("store", staged.stores.words), ("product", staged.products.words)):
            place = rows.column_names.index(name)
            rows = rows.set_column(place, name, pa.array(words, pa.string()).take(rows[name].combine_chunks()))
        moment = rows["seen_at"].cast(pa.timestamp("us", tz="UTC"))
        return rows.set_column(rows.column_names.index("seen_at"), "seen_at", moment).drop_columns(["date", "line"])

    def _weeks_before(self) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield each date of the four weeks before this file begins, and what other files sold on it."""
        for day in days_before(min(self.given.staged.spans)):
            known = self._known(day)
            if len(known):
                yield (day - EPOCH).days, known

    def _remember(self, date: int, known: pd.DataFrame) -> None:
        """Learn from other files what sold on a date."""
        self.so_far.begin(date)
        by_pair = (
            known.sort_values("units")
            .groupby("pair")
            .agg(units=("units", "sum"), price=("price", "last"), is_sudden=("is_sudden_zero", "any"))
        )
        columns = (by_pair[name].to_numpy() for name in ("units", "price", "is_sudden"))
        self.so_far.remember(date, by_pair.index.to_numpy(), *columns)
