"""Where locks are: in a folder of this machine, and in a database those that all machines must see."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True)
class LockPlace:
    """The locks of one home.

    Attributes
    ----------
    folder
        Of the lock files, which the kernel watches.
    about
        What the locks are about, the same on every machine: the address of the lake.
    database
        PostgreSQL that holds the locks of all machines; None where one machine works alone.
    """

    folder: Path
    about: str = ""
    database: SecretStr | None = None
