"""One thing that is wrong in the lake."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["damaged", "missing", "orphaned", "mixed", "unfinished"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the file, what kind of fault, and a sentence with the remedy."""

    path: Path
    kind: Kind
    message: str
