"""What a shelf label says of a product beside its price: how much is in it, and its number at the till."""

from typing import Annotated, Literal

from pydantic import Field

from catalog.records.fields import Record

Unit = Literal["g", "kg", "ml", "cl", "l", "m", "piece"]

_PRICED_BY: dict[Unit, tuple[str, float]] = {
    "g": ("kg", 1_000),
    "kg": ("kg", 1),
    "ml": ("l", 1_000),
    "cl": ("l", 100),
    "l": ("l", 1),
    "m": ("m", 1),
    "piece": ("piece", 1),
}
"""The unit that a price is told for, and how many of the measure's own make one."""

_EAN_DIGITS = (8, 12, 13, 14)


class Measure(Record):
    """How much one unit of a product holds."""

    amount: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] = Field(description="how many of `unit`")
    unit: Unit = Field(description="g and kg are priced per kg, ml, cl and l per l, m and piece as they are")

    def per_unit(self, price: float) -> tuple[float, str]:
        """Return the price of one kg, l, m or piece, EUR, and which of them it is."""
        unit, own = _PRICED_BY[self.unit]
        return price * own / self.amount, unit


def check_ean(number: str) -> str:
    """Return a number of the GS1 family (EAN-8, UPC-A, EAN-13 or GTIN-14).

    Raises
    ------
    ValueError
        When it has another length, holds something else than digits, or its last digit does not fit the others.
    """
    if not (number.isascii() and number.isdigit() and len(number) in _EAN_DIGITS):
        raise ValueError(f"expected an EAN of 8, 12, 13 or 14 digits in quotes, found {number!r}")
    digits = [int(digit) for digit in number]
    weighted = sum(digit * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits[-2::-1]))
    expected = -weighted % 10
    if digits[-1] != expected:
        raise ValueError(f"expected {expected} as the check digit of EAN {number}, found {digits[-1]}; see the package")
    return number
