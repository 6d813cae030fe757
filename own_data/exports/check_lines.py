"""What a line of sales must hold; the first reason against each line counts."""

import numpy as np
import pandas as pd

from catalog.arrays import Flags, Ints
from etl.validate import REPEATS
from own_data.exports.admission import FileAdmission

_TOO_MUCH = 1e6  # EUR or units
_MINUTES, _HOURS = 60, 25
_CONTRADICTS = "an earlier row says other units for its store, product, time and price"
_LINE = ["store", "product", "seen_at", "receipt", "price", "units"]


def reasons_against(lines: pd.DataFrame, given: FileAdmission) -> tuple[Ints, list[str]]:
    """Return the number of the first reason against each line, 0 for none, and the sentence of each number.

    Parameters
    ----------
    lines
        One row per line with `place` on the shelf, `store`, `product`, `pair` of both, `seen_at`, `hour` (-1 for the
        whole day), `units`, `price` (NaN where nothing tells it), and, where the file has them, `receipt`, `traffic`
        and `stock`.
    """
    units, price = lines["units"], lines["price"]
    is_receipts = given.staged.grain == "receipts"
    checks: list[tuple[Flags | pd.Series, str]] = [
        (lines["place"] < 0, "the product is not in the catalog"),
        (lines["seen_at"] > given.not_after.timestamp() * 1e6, "the time is in the future"),
        (~(units.abs() < _TOO_MUCH), "the units are not a number below a million"),
        (price.isna(), "no unit was sold, and nothing tells the price"),
        (~((price > 0) & (price < _TOO_MUCH)), "the price is not a positive finite number"),
        (_outside(lines, given), "the time is outside the opening hours"),
    ]
    if is_receipts:
        checks.insert(0, (units == 0, "the line sells no unit"))
    for name in ("stock", "traffic"):
        if name in lines:
            value = lines[name]
            checks.append((value.notna() & ~((value >= 0) & np.isfinite(value)), f"the {name} is negative"))
    reason = np.zeros(len(lines), dtype=np.int64)
    for number, (fails, _) in enumerate(checks, start=1):
        reason[(reason == 0) & np.asarray(fails)] = number
    sentences = ["", *(sentence for _, sentence in checks)]
    for sentence, repeats in _repeats(lines[reason == 0], is_receipts=is_receipts):
        reason[repeats] = len(sentences)
        sentences.append(sentence)
    return reason, sentences


def _outside(lines: pd.DataFrame, given: FileAdmission) -> pd.Series:
    opening = given.catalog.store.opening
    minute = lines["hour"].astype(int) * _MINUTES
    ends = opening.opens_minute + opening.minutes
    return (lines["hour"] >= 0) & ((minute + _MINUTES <= opening.opens_minute) | (minute >= ends))


def _repeats(good: pd.DataFrame, *, is_receipts: bool) -> list[tuple[str, Ints]]:
    """Return the positions of lines that stand in the file before, by reason.

    On one receipt, equal lines that stand together are purchases: a till that scans a product twice prints it twice.
    Where the receipt comes again later in the file, its lines are repeats. Without the number of a receipt, two equal
    lines are two purchases.
    """
    if is_receipts:
        return [(REPEATS, _lines_of_a_receipt_again(good))] if "receipt" in good else []
    key = ["store", "product", "hour", "price"]
    time = good["pair"] * _HOURS + good["hour"].astype("int64")  # of a pair: most have one row, which needs no look
    shared = good[time.duplicated(keep=False)]
    signed = shared.assign(is_return=shared["units"] < 0)
    again = signed.duplicated([*key, "is_return"])
    same = again & signed.duplicated([*key, "units"])
    return [
        (REPEATS, shared.index[same].to_numpy()),
        (_CONTRADICTS, shared.index[again & ~same].to_numpy()),
    ]


def _lines_of_a_receipt_again(good: pd.DataFrame) -> Ints:
    """Return the positions of lines whose equal stands in the file before, with another receipt in between."""
    in_order = good.sort_values("line", kind="stable")
    together = in_order["receipt"].ne(in_order["receipt"].shift()) | in_order["store"].ne(in_order["store"].shift())
    numbered = in_order.assign(block=together.cumsum())
    first = numbered.groupby(_LINE, sort=False)["block"].transform("first")
    return np.asarray(numbered.index[numbered["block"] != first])
