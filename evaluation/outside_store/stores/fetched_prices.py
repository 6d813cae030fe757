"""Where an outside store gets its prices: the files of the export, or the quote API."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from evaluation.outside_store.stores.outside_world import Flags, Floats, Ints
from evaluation.outside_store.stores.sales_client import RefusedRequestError, SalesClient


@dataclass(frozen=True)
class FetchedPrices:
    """Prices of one moment.

    Attributes
    ----------
    till, label
        What is charged and what the label shows, EUR, shape (n_stores, n_products); the till is lower until a label
        has followed.
    tried
        Which are tried in order to learn; None where the source does not say.
    missing
        Products of stores for which there was no price, so that the old one stands.
    """

    till: Floats
    label: Floats
    tried: Flags | None
    missing: int


class PriceSupply(Protocol):
    """A source of prices."""

    def fetch(self, moment: dt.datetime, standing: Floats, stock: Ints, ticks_left: int | None = None) -> FetchedPrices:
        """Return the prices of a moment; `standing` are those that stand, EUR, `stock` is units on the shelf.

        Both have the shape (n_stores, n_products).
        """
        ...


@dataclass(frozen=True)
class ExportFolder:
    """The folder that `shelfprice export --to DIR` fills; a fetch acknowledges what holds by then for both devices."""

    folder: Path
    stores: Sequence[str]
    skus: Sequence[str]

    def fetch(self, moment: dt.datetime, standing: Floats, stock: Ints, ticks_left: int | None = None) -> FetchedPrices:
        """Return the newest price of each product that is valid at a moment, out of all batches."""
        del stock, ticks_left
        till, label, told = standing.copy(), standing.copy(), np.zeros(standing.shape, dtype=bool)
        place = {(store, sku): (row, column)
                 for row, store in enumerate(self.stores) for column, sku in enumerate(self.skus)}  # fmt: skip
        newest: dict[str, str] = {}
        for batch in sorted(map(_read, self.folder.glob("*.json")), key=lambda one: one["number"]):
            for price in batch["prices"]:
                if dt.datetime.fromisoformat(price["valid_from"]) > moment:
                    continue
                newest[batch["store"]] = batch["batch"]
                where = place.get((batch["store"], price["sku"]))
                if where is not None:
                    till[where], label[where], told[where] = price["till_price"], price["price"], True
        self._acknowledge(moment, newest)
        return FetchedPrices(till, label, None, int((~told).sum()))

    def _acknowledge(self, moment: dt.datetime, newest: dict[str, str]) -> None:
        if not newest:
            return
        acks = [
            {"batch": batch, "store": store, "device": device, "at": moment.isoformat()}
            for store, batch in newest.items()
            for device in ("label", "till")
        ]
        folder = self.folder / "acks"
        folder.mkdir(exist_ok=True)
        hidden = folder / f".{moment:%Y%m%dT%H%M%S}-{'-'.join(sorted(newest.values()))[:24]}.json"
        hidden.write_text(json.dumps(acks), encoding="utf-8")
        hidden.rename(folder / hidden.name[1:])


@dataclass(frozen=True)
class QuotedPrices:
    """The quote API, asked for every product of every store at once."""

    client: SalesClient
    stores: Sequence[str]
    skus: Sequence[str]

    def fetch(self, moment: dt.datetime, standing: Floats, stock: Ints, ticks_left: int | None = None) -> FetchedPrices:
        """Return the quotes; where there is none, or nobody answers, the price that stands: shops stay open."""
        del moment
        later = {} if ticks_left is None else {"ticks_left": ticks_left}
        asked = [
            {"sku": sku, "stock": int(stock[row, column]), "store": store, **later}
            for row, store in enumerate(self.stores)
            for column, sku in enumerate(self.skus)
        ]
        try:
            answers: list[Any] = self.client.ask("/v1/quotes", asked, retries=1)
        except RefusedRequestError:
            answers = [{}] * len(asked)
        old = standing.ravel().tolist()
        prices = [answer.get("price", price) for answer, price in zip(answers, old, strict=True)]
        tried = [answer.get("binding_rule") == "exploration" for answer in answers]
        shape = standing.shape
        till = np.array(prices, dtype=np.float64).reshape(shape)
        return FetchedPrices(till, till, np.array(tried).reshape(shape), sum("price" not in one for one in answers))


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))
