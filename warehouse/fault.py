"""One thing that a killed run left or mixed. Each folder finds what it owns; `operate.doctor` collects them."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What was found, and what becomes of it.

    Attributes
    ----------
    what, where
        The fault in words, and the file or thing that has it.
    remedy
        What mending does; where nothing can be done by itself, what a person has to do.
    mend
        Does it, and returns in words what was done; None where a person has to.
    is_harm
        Whether something is wrong until it is mended. What is only to be known is no harm.
    afterwards
        What a person has to do when it is mended; None when nothing is left to do.
    """

    what: str
    where: str
    remedy: str
    mend: Callable[[], str] | None = None
    is_harm: bool = True
    afterwards: str | None = None
