"""One thing that a check-up looked at; each folder checks what it owns, and `operate.health.check_up` collects them."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """What was found; `remedy` is a command or a sentence, and empty when there is nothing to do."""

    name: str
    state: Literal["ok", "warning", "failed"]
    found: str
    remedy: str = ""
