"""The lines of a sheet that set a price: what each would become, what speaks against it, and how they are recorded."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from catalog.bounds import HIGHEST_PRICE
from catalog.errors import DataError, Declined, did_you_mean
from etl.calendar import StoreNow, stores_now
from flows.workspace import now_of
from plugins.desk.price_changes.request import DeskAnswer, Examined, PriceRequest, ask_all, examined_all, span_of_days
from plugins.desk.price_sheets.files import read
from warehouse.workspace import Workspace

_PRICE = re.compile(r"\d{1,7}(?:[.,]\d{1,6})?", re.ASCII)
_DATES = ("%Y-%m-%d", "%d.%m.%Y")
_SHOWN = 3
_LONGEST = 40


@dataclass(frozen=True)
class SheetLine:
    """One line that has a new price.

    Attributes
    ----------
    number
        Its number in the file, from 1.
    said
        What stands in its columns, by their names.
    request
        What it asks for; None where that cannot be told.
    told
        What would become of it.
    """

    number: int
    said: Mapping[str, str]
    request: PriceRequest | None
    told: Examined

    @property
    def problems(self) -> tuple[str, ...]:
        """What is to be mended or accepted before it is recorded."""
        return self.told.conflicts if self.told.problem is None else (self.told.problem,)


def lines_of(workspace: Workspace, content: bytes) -> list[SheetLine]:
    """Return the lines of a sheet that set a price, with what would become of each; nothing is recorded.

    Raises
    ------
    DataError
        When the file cannot be read, see `plugins.desk.price_sheets.files.read`.
    """
    given = [(number, line) for number, line in read(content) if line.get("new_price")]
    stores = workspace.catalog.store.stores
    clocks = stores_now(workspace.lake, workspace.catalog, stores, now_of(workspace)) if given else {}
    skus = {form: sku for sku in workspace.catalog.skus for form in (f"'{sku}", sku)}  # as `files` may have written it
    requests, wrong = dict[int, PriceRequest](), dict[int, str]()
    for number, line in given:
        try:
            requests[number] = _request_of(workspace, clocks, skus, line)
        except DataError as error:
            wrong[number] = str(error)
    outcomes = dict(zip(requests, examined_all(workspace, list(requests.values())), strict=True))
    return [
        SheetLine(number, line, requests.get(number), outcomes.get(number) or Examined(problem=wrong[number]))
        for number, line in given
    ]


def record_lines(
    workspace: Workspace,
    lines: Sequence[SheetLine],
    reason: str,
    by: str,
    *,
    ignore_conflicts: bool = False,
    below_cost: bool = False,
) -> list[DeskAnswer]:
    """Record the lines of a sheet as one action, all or none, with one reason.

    Raises
    ------
    Declined
        When one of them can never hold, or something speaks against it and that is not accepted.
    """
    wrong = [f"line {line.number}: {line.told.problem}" for line in lines if line.told.problem is not None]
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise Declined(f"nothing was recorded; mend these lines, or leave them out: {'; '.join(wrong[:_SHOWN])}{more}")
    requests_made = [
        replace(line.request, reason=reason, ignore_conflicts=ignore_conflicts, below_cost=below_cost)
        for line in lines
        if line.request is not None
    ]
    return ask_all(workspace, requests_made, by)


def _request_of(
    workspace: Workspace, clocks: Mapping[str, StoreNow], skus: Mapping[str, str], line: Mapping[str, str]
) -> PriceRequest:
    """Return what a line asks for.

    Raises
    ------
    DataError
        When its store, product, price or dates are none.
    """
    store, sku, price = (line.get(name, "") for name in ("store", "sku", "new_price"))
    for what, value, allowed in (("store", store, clocks), ("sku", sku, skus)):
        if value not in allowed:
            raise DataError(f"unknown {what} {value[:_LONGEST]!r}{did_you_mean(value, list(allowed))}")
    if not _PRICE.fullmatch(price) or not 0 < float(price.replace(",", ".")) <= HIGHEST_PRICE:
        raise DataError(f"{price[:_LONGEST]!r} is not a price, such as 1.29")
    first, last = _date(line.get("from", "")), _date(line.get("through", ""))
    if first is not None and last is not None and last < first:
        raise DataError(f"it ends on {last}, before it begins on {first}")
    span = span_of_days(workspace.catalog, clocks[store], (first, last))
    return PriceRequest("override", "of a sheet", skus[sku], store, float(price.replace(",", ".")), *span)


def _date(text: str) -> dt.date | None:
    """Return a business date, None where there is none."""
    if not text:
        return None
    for form in _DATES:
        with suppress(ValueError):
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - it has no zone
    raise DataError(f"{text[:_LONGEST]!r} is not a date, such as 2026-01-31")
