"""One condition of the gate. Limits that chance could break on few decisions allow for it: two standard errors."""

from dataclasses import dataclass

STANDARD_ERRORS = 2.0
"""Of what a perfect model would show, that a limit allows for."""


@dataclass(frozen=True)
class Condition:
    """One condition, whether it is met, and what was found."""

    name: str
    met: bool
    found: str

    def as_record(self) -> dict[str, str | bool]:
        """Return the condition as plain values, as `model_versions` keeps it."""
        return {"condition": self.name, "met": self.met, "found": self.found}
