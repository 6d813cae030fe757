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

from catalog.arrays import Ints
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, OUTCOMES, TOO_EXPENSIVE, hour_shares
from catalog.names import EXTERNAL
from catalog.tables.contracts import TABLES
from etl.load import conform
from etl.validate import REPEATS, Validated, row_texts, validate
from plugins.own_store.history.admission import CHANGES, EPOCH, Checked, FileAdmission
from plugins.own_store.history.day_units import SalesSoFar, chances_of, days_before, in_contract, summed, without_a_unit
from plugins.own_store.history.rows import query, table_of
from warehouse.parquet import coded, constant

_OF_LAKE = ["store_id", "sku", "hour", "price", "units", "returned_units", "traffic", "stock", "is_sudden_zero"]
_BESIDE = {"receipt": "receipt", "traffic": "traffic", "inventory_level": "stock"}
_IN_LAKE = "it repeats sales that are in the lake already"


class AdmittingSales:
    """Admits units or receipts, one date after another."""

    def __init__(self, admission: FileAdmission) -> None:
        self.given, self.connection = admission, admission.staged.connection
        self.store_ids = admission.look_up_names()
        self.is_receipts = admission.staged.grain == "receipts"
        self.connection.execute(query("pairs"))
        if self.is_receipts:
            self.connection.execute(query("highest_prices"))
        self.pairs = table_of(self.connection, "pairs_of_rows").to_pandas()
        self.before = list(self._weeks_before())
        self.begin()

    def begin(self) -> None:
        """Begin at the first date: what is known before it is what other files sold."""
        self.so_far = SalesSoFar(len(self.pairs))
        for date, known in self.before:
            self._remember(date, known)

    def check(self, date: int) -> Checked:
        """Validate one date; nothing is published."""
        given, opening = self.given, self.given.catalog.store.opening
        if date not in given.staged.spans:
            empty = {
                "unit_sales": TABLES["unit_sales"].schema.empty_table(),
                "rejected": TABLES["rejected"].schema.empty_table(),
            }
            return given.checked(date, empty, 0, {})
        self.so_far.begin(date)
        last = pa.array(self.so_far.last_price, from_pandas=True)
        self.connection.register("last_prices", pa.table({"pair": self.pairs["pair"].to_numpy(), "price": last}))
        lines = table_of(
            self.connection,
            "check_lines",
            date=date,
            is_receipts=self.is_receipts,
            not_after=int(given.not_after.timestamp() * 1e6),
            opens=opening.opens_minute,
            ends=opening.opens_minute + opening.minutes,
            repeats=REPEATS,
        ).to_pandas()
        lines = lines.drop(columns=[name for theirs, name in _BESIDE.items() if theirs not in given.staged.theirs])
        rows = summed(lines[lines["reason"].isna()].drop(columns=["reason", "pair"]))
        rows["pair"] = self._pair_of(rows)
        known = self._known(EPOCH + dt.timedelta(days=date))
        overlap = self._overlap(rows, known)
        for is_same, reason in ((True, _IN_LAKE), (False, CHANGES)):
            pairs = overlap.loc[overlap["is_same"] == is_same, "pair"]
            lines.loc[lines["reason"].isna() & lines["pair"].isin(pairs), "reason"] = reason
        rows = rows[~rows["pair"].isin(overlap["pair"])]
        n_sold = len(rows)
        if self.is_receipts:
            rows = pd.concat([rows, self._without_a_sale(date, rows, known)], ignore_index=True)
        sales, counts = self._unit_sales(date, rows)
        counts["zero_days"] = rows["pair"][n_sold:].nunique()
        tables = {"unit_sales": sales, "rejected": self._rejected(lines)}
        return given.checked(date, tables, int(lines["reason"].isna().sum()), counts)

    def _pair_of(self, rows: pd.DataFrame) -> Ints:
        own = self.pairs.set_index(["store", "product"])["pair"]
        return own.reindex(pd.MultiIndex.from_frame(rows[["store", "product"]])).to_numpy(dtype=np.int64)

    def _known(self, day: dt.date) -> pd.DataFrame:
        """Return what other files sold of this file's pairs on a date."""
        empty = TABLES["unit_sales"].schema.empty_table().select(_OF_LAKE)
        parts = [self.given.lake.read(part).select(_OF_LAKE) for part in self.given.others("unit_sales", day)]
        self.connection.register("sold", pa.concat_tables([empty, *parts]))
        return table_of(self.connection, "known_sales").to_pandas()

    def _overlap(self, rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
        """Return the pairs of a date that the lake has already, and whether with the same sales."""
        for name, frame in (("ours", rows), ("known", known)):
            self.connection.register(name, pa.Table.from_pandas(frame, preserve_index=False))
        theirs = self.given.staged.theirs
        has = {"has_traffic": "traffic" in theirs, "has_stock": "inventory_level" in theirs}
        return table_of(self.connection, "overlap", **has).to_pandas()

    def _without_a_sale(self, date: int, rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
        """Return rows with no unit for what a store that was open sells at other times."""
        told = pd.concat([rows["pair"], known["pair"]], ignore_index=True)
        self.connection.register("told", pa.table({"pair": pa.array(told, pa.int64())}))
        self.connection.register("open_shops", pa.table({"store": pa.array(rows["store"].unique(), pa.int64())}))
        zeros = table_of(self.connection, "days_without_a_sale", date=date).to_pandas().drop(columns="place")
        traffic = rows.groupby("store")["traffic"].max()
        zeros = without_a_unit(zeros.assign(pair=self._pair_of(zeros)), rows)
        return zeros.assign(traffic=zeros["store"].map(traffic).astype(float))

    def _unit_sales(self, date: int, rows: pd.DataFrame) -> tuple[pa.Table, dict[str, float]]:
        """Return rows in the columns of their contract, and remember the day."""
        catalog, place = self.given.catalog, rows["product"].to_numpy(dtype=np.int64)
        most = np.array([product.chances_per_day for product in catalog.products], dtype=float)
        chances = chances_of(rows, most[place], hour_shares(catalog.store))
        pairs, at = np.unique(rows["pair"].to_numpy(dtype=np.int64), return_inverse=True)
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

    def _rejected(self, lines: pd.DataFrame) -> pa.Table:
        """Return the lines with a reason against them, as they were read."""
        bad = lines.loc[lines["reason"].notna(), ["line", "reason"]]
        self.connection.register("refused", pa.Table.from_pandas(bad, preserve_index=False))
        rows = table_of(self.connection, "rejected_lines")
        said = [name for name in rows.column_names if rows[name].null_count < rows.num_rows]
        texts = row_texts(rows.select(said).drop_columns(["line", "reason"]), np.arange(rows.num_rows)) if said else []
        columns = [[self.given.source] * rows.num_rows, rows["line"], rows["reason"], pa.array(texts, pa.string())]
        return pa.table(columns, names=TABLES["rejected"].schema.names).cast(TABLES["rejected"].schema)

    def _weeks_before(self) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield each date of the four weeks before this file begins, and what other files sold on it."""
        for day in days_before(self.given.staged.spans[0]):
            known = self._known(day)
            if len(known):
                yield (day - EPOCH).days, known

    def _remember(self, date: int, known: pd.DataFrame) -> None:
        """Learn from other files what sold on a date."""
        self.so_far.begin(date)
        by_pair = (
            known.sort_values("units")
            .groupby("pair")
            .agg(units=("units", "sum"), price=("price", "last"), is_sudden=("is_sudden", "any"))
        )
        columns = (by_pair[name].to_numpy() for name in ("units", "price", "is_sudden"))
        self.so_far.remember(date, by_pair.index.to_numpy(), *columns)


_DECIDED = "it repeats a decision that is in the lake already"
_SAID = [*TABLES["interactions"].key, "price_offered", "purchased", "inventory_level"]


class AdmittingVisits:
    """Admits visits, one date after another; the dates are independent of each other."""

    def __init__(self, admission: FileAdmission) -> None:
        self.given = admission
        admission.look_up_names()

    def begin(self) -> None:
        """Begin at the first date: no date depends on another."""

    def check(self, date: int) -> Checked:
        """Validate one date; nothing is published."""
        given, opening = self.given, self.given.catalog.store.opening
        rows = table_of(
            given.staged.connection,
            "interactions",
            date=date,
            opens=opening.opens_minute,
            minutes=opening.minutes,
            tick_minutes=opening.tick_minutes,
            names_shoppers="shopper_id" in given.staged.theirs,
            external=EXTERNAL,
            bought=OUTCOMES[BOUGHT],
            out_of_stock=OUTCOMES[OUT_OF_STOCK],
            too_expensive=OUTCOMES[TOO_EXPENSIVE],
        )
        lines = rows["line"].to_numpy()
        checked = validate(rows.drop_columns("line"), given.catalog, given.source, given.not_after, lines)
        checked = self._without_known(EPOCH + dt.timedelta(days=date), checked, lines)
        tables = {"interactions": conform(checked.valid), "rejected": checked.rejected}
        return given.checked(date, tables, checked.valid.num_rows, {})

    def _without_known(
        self, day: dt.date, checked: Validated, lines: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    ) -> Validated:
        """Reject rows that are decisions of another file already, or that say otherwise of one."""
        known = [self.given.lake.read(partition).select(_SAID) for partition in self.given.others("interactions", day)]
        if not known:
            return checked
        lines = lines[np.isin(lines, checked.rejected["row_number"].to_numpy(), invert=True)]
        connection = self.given.staged.connection
        connection.register("valid", checked.valid.select(_SAID).append_column("line", pa.array(lines)))
        connection.register("known", pa.concat_tables(known))
        found = table_of(connection, "known_decisions")
        is_known = np.isin(lines, found["line"].to_numpy())
        at = np.flatnonzero(is_known)
        of_line = dict(zip(found["line"].to_pylist(), found["is_same"].to_pylist(), strict=True))
        bad = pa.table(
            {
                "source": constant(self.given.source, len(at)),
                "row_number": pa.array(lines[at]),
                "reason": coded(np.array([not of_line[line] for line in lines[at].tolist()], int), [_DECIDED, CHANGES]),
                "row_text": row_texts(checked.valid, at),
            },
            schema=TABLES["rejected"].schema,
        )
        return Validated(checked.valid.filter(pa.array(~is_known)), pa.concat_tables([checked.rejected, bad]))
