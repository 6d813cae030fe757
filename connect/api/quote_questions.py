"""Questions about prices as a request asks them: in its query, or as the objects of a list."""

import re
from collections import Counter
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from catalog.limits import HIGHEST_NUMBER, HIGHEST_PRICE, LOWEST_PRICE
from catalog.refusals import refused, schema_of
from connect.api.problems import Problem, not_valid
from serving.quote import PriceQuestion

_LONGEST_QUERY = 4_096  # bytes
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})")
_TEXTS = ("sku", "store")
_TRUTHS = {"true": True, "false": False}
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Price = Annotated[float, Field(ge=LOWEST_PRICE, le=HIGHEST_PRICE)]


class QuoteQuestion(BaseModel):
    """A question about the price of one product. Money in the currency of the shelf."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    sku: _Name = Field(description="Stock-keeping unit.", examples=["MILK"])
    stock: int = Field(ge=0, le=HIGHEST_NUMBER, description="Units on the shelf.", examples=[8])
    ticks_left: Annotated[int, Field(ge=1, le=HIGHEST_NUMBER)] | None = Field(
        default=None, description="Ticks until closing, this one included; else the whole day.", examples=[12]
    )
    shown: _Price | None = Field(
        default=None, description="Price on the shelf now, for limits on steps.", examples=[1.35]
    )
    opening: _Price | None = Field(default=None, description="Price at opening; by default `shown`.", examples=[1.35])
    store: _Name | None = Field(
        default=None,
        description="The store that asks: the answer follows its own sales of the day, what people ordered there, or "
        "the old price that it keeps this week. Without it the answer holds in every store, or is refused.",
        examples=["S01"],
    )
    candidates: bool = Field(
        default=True, description="Whether the prices that were weighed are in the answer.", examples=[False]
    )

    @field_validator("shown", "opening")
    @classmethod
    def _is_not_below_the_smallest_unit(cls, price: float | None, info: ValidationInfo) -> float | None:
        lowest = (info.context or {}).get("lowest", LOWEST_PRICE)
        if price is not None and price < lowest:
            raise ValueError(f"expected a number from {lowest:g}, found {price}")
        return price

    @property
    def of_product(self) -> PriceQuestion:
        """The question without its store."""
        return PriceQuestion(self.sku, self.stock, self.ticks_left, self.shown, self.opening)


def question_of_query(query: bytes, lowest: float = LOWEST_PRICE) -> QuoteQuestion:
    """Read the question in the query of a request.

    Parameters
    ----------
    lowest
        Smallest unit of the shelf's currency: no price is below it.

    Raises
    ------
    Problem
        When it cannot be read, or a value cannot be used.
    """
    if len(query) > _LONGEST_QUERY:
        raise Problem(
            "not-valid",
            f"expected a query of at most {_LONGEST_QUERY} bytes, found {len(query)}; nothing was quoted: send less",
        )
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise Problem(
            "unreadable",
            "expected a query in UTF-8, percent-encoded, found another; nothing was quoted: encode it",
        ) from error
    refuse_repeated([name for name, _ in pairs])
    return question_of({name: _value(name, text) for name, text in pairs}, lowest)


def question_of(fields: object, lowest: float = LOWEST_PRICE) -> QuoteQuestion:
    """Check one question; see `question_of_query`.

    Raises
    ------
    Problem
        When it is not an object, or a value cannot be used.
    """
    try:
        return QuoteQuestion.model_validate(fields, context={"lowest": lowest})
    except ValidationError as error:
        raise not_valid(refused(error, schema_of(QuoteQuestion))) from error


def refuse_repeated(names: list[str], but: str | None = None) -> None:
    """Refuse a parameter that comes twice, except one that may.

    Raises
    ------
    Problem
        When one does.
    """
    repeated = next((name for name, count in Counter(names).items() if count > 1 and name != but), None)
    if repeated is not None:
        found = repr(repeated[:80])
        raise Problem("not-valid", f"expected each parameter once, found {found} again; nothing was done: send it once")


def _value(name: str, text: str) -> Any:
    """Return the number or the truth that a text is; one that is neither stays a text, and is refused as such."""
    if name in _TEXTS:
        return text
    if name == "candidates":
        return _TRUTHS.get(text, text)
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
