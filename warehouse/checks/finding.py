"""What a look through the lake brings: things that are wrong, and what no reader sees.

A `Fault` is one thing that a killed run left or mixed. Each folder finds what it owns; the command `doctor` collects
them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from warehouse.partition import Partition, name_of


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


Kind = Literal["damaged", "missing", "orphaned", "mixed", "unfinished"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    name
        Name of the file in the lake, such as `products/part-all.parquet`.
    kind
        What kind of fault it is.
    message
        A sentence with the remedy.
    partition
        The partition that it is about; None for a record, and for a file of no table.
    """

    name: str
    kind: Kind
    message: str
    partition: Partition | None = None

    @property
    def file(self) -> str:
        """The last part of the name."""
        return PurePosixPath(self.name).name

    @property
    def folder(self) -> str:
        """The last part of the name of the folder that it is in."""
        return PurePosixPath(self.name).parent.name


@dataclass(frozen=True)
class Strays:
    """Objects of partitions that are not in force: replaced, being written, or left by a kill. They do no harm."""

    objects: int = 0
    bytes: int = 0


def about(partition: Partition, kind: Kind, message: str) -> Finding:
    """Return a finding about a partition."""
    return Finding(name_of(partition), kind, message, partition)
