"""Errors for the person who must act: what was expected, what was found, what happens now, what to do.

`Declined` marks work that was refused on purpose while nothing is broken, such as a partition that another process is
writing; every other `ShelfpriceError` marks something that has to be fixed.

A `Check` is one thing that a check-up looked at. Each folder checks what it owns, and
`plugins.operations.checks.check_up` collects the checks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

_ALIKE = 0.6
"""How alike two words are, from 0 to 1, before one is offered for the other."""
_LONGEST = 100
"""Characters of a word that is compared; nobody types more by mistake."""


def did_you_mean(typed: str, words: Iterable[str]) -> str:
    """Return a question about the nearest known word, to end a sentence with; empty when none is near."""
    by_lower_case = {word.lower(): word for word in words}
    near = get_close_matches(typed[:_LONGEST].lower(), by_lower_case, n=1, cutoff=_ALIKE)
    return f". Did you mean {by_lower_case[near[0]]}?" if near else ""


@dataclass(frozen=True)
class Check:
    """What was found; `remedy` is a command or a sentence, and empty when there is nothing to do."""

    name: str
    state: Literal["ok", "warning", "failed"]
    found: str
    remedy: str = ""


class ShelfpriceError(Exception):
    """Root of every error this project raises on purpose; the command line prints it as one line."""


class CatalogError(ShelfpriceError):
    """A products or store file that cannot be used; the message names file, field and value."""


class ContractError(ShelfpriceError):
    """Data without the columns, types or nullability of its table's contract."""


class LakeError(ShelfpriceError):
    """A partition that is missing, damaged or cannot be written."""


class DamagedError(LakeError):
    """Partitions whose bytes are not those of their receipts: none of them was read, and trying again mends nothing."""


class DataError(ShelfpriceError):
    """Data that is well formed but not enough for what was asked."""


class ModelError(ShelfpriceError):
    """A registered model that cannot be found, loaded or trusted."""


class SettingError(ShelfpriceError):
    """An environment variable that cannot be used."""


class ServiceError(ShelfpriceError):
    """A service that is not running, does not answer in time, or cannot be started."""


class Declined(ShelfpriceError):  # noqa: N818 - a refusal is an answer, not an error
    """Work refused on purpose; nothing is broken and nothing was changed."""


def first_line(error: BaseException) -> str:
    """Return what an error says, cut to one line of at most 200 characters, or its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
