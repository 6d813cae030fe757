"""What the tills and labels of a store show of what was sent to it, by column: a chain was sent millions of prices."""

import datetime as dt
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from connect.export.batch import StoreRecord
from connect.export.device_states import DEVICES, Device
from warehouse.parquet import in_one_piece

_READ = ["sku", "price", "till_price", "valid_from"]
_EXPECTED = {"till": "till_price", "label": "price"}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_PRICE = -1


class StoreLabels:
    """The devices of each product that a store was sent a price of. Arrays have shape (n_products,), in order of sku.

    Attributes
    ----------
    skus
        The products, in order.
    first
        By device, the first price that was sent and that it is not known to show, as its place among all; -1 where it
        follows.
    shown, expected
        By device, what it is known to show, EUR, NaN when it never said; and the newest price that it has to show.
    """

    def __init__(self, record: StoreRecord) -> None:
        self._record, batches = record, record.batches
        rows = pa.concat_tables([batch.prices.rows.select(_READ) for batch in batches])
        texts = in_one_piece(rows["sku"].unify_dictionaries()).dictionary_encode()
        names = texts.dictionary.to_pylist()
        self.skus: list[str] = sorted(names)
        places = {sku: place for place, sku in enumerate(self.skus)}
        product = np.array([places[name] for name in names], dtype=np.int64)[texts.indices.to_numpy()]
        lengths = [len(batch.prices) for batch in batches]
        number = np.repeat([batch.number for batch in batches], lengths)
        effective = np.repeat([_microseconds(batch.effective_at) for batch in batches], lengths)
        valid = rows["valid_from"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
        self._since, self._columns = np.maximum(effective, valid), rows
        self.newest = np.zeros(len(self.skus), dtype=np.int64)
        self.newest[product] = np.arange(len(product))  # in order of time: the last one stays
        self.shown, self.expected, self.first = dict[Device, Floats](), dict[Device, Floats](), dict[Device, Ints]()
        for device in DEVICES:
            sent = rows[_EXPECTED[device]].to_numpy()
            self.expected[device] = sent[self.newest]
            self.shown[device], told = self._states(device, places)
            is_new = (number > told[product]) | (np.arange(len(product)) == self.newest[product])
            shown = self.shown[device][product]
            behind = np.flatnonzero(np.isnan(shown) | (is_new & (sent != shown)))
            self.first[device] = np.full(len(self.skus), _NO_PRICE, dtype=np.int64)
            self.first[device][product[behind[::-1]]] = behind[::-1]

    def valid_from(self, product: int) -> dt.datetime:
        """Return from when the newest price of a product is valid."""
        found: dt.datetime = self._columns["valid_from"][int(self.newest[product])].as_py()
        return found

    def problem(self, product: int, device: Device) -> str | None:
        """Return the error that a device reported last; None without one."""
        state = self._record.state_of(self.skus[product], device)
        return None if state is None else state.problem

    @cached_property
    def are_different(self) -> Flags:
        """Of which products till and label show two prices."""
        till, label = self.shown["till"], self.shown["label"]
        return ~np.isnan(till) & ~np.isnan(label) & (till != label)

    @cached_property
    def are_acknowledged(self) -> Flags:
        """Of which products till and label show the newest price."""
        return np.asarray((self.first["till"] == _NO_PRICE) & (self.first["label"] == _NO_PRICE))

    def behind(self, device: Device) -> tuple[Ints, NDArray[np.int64]]:
        """Return the products that a device does not follow, and since when it should, in microseconds since 1970."""
        own = np.flatnonzero(self.first[device] != _NO_PRICE)
        return own, self._since[self.first[device][own]]

    def _states(self, device: Device, places: dict[str, int]) -> tuple[Floats, Ints]:
        """Return what a device shows, EUR, and the number of the batch that showed it, 0 without one."""
        shown, number = np.full(len(self.skus), np.nan), np.zeros(len(self.skus), dtype=np.int64)
        for (sku, of), state in (self._record.states or {}).items():
            if of == device and sku in places and state.price is not None:
                shown[places[sku]], number[places[sku]] = state.price, state.number
        return shown, number


def moment_of(microseconds: int) -> dt.datetime:
    """Return a moment, UTC, from microseconds since 1970."""
    return _EPOCH + dt.timedelta(microseconds=microseconds)


def _microseconds(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)
