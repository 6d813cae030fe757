"""Notes that prove themselves: JSON that ends with the SHA-256 of all that it says, see `warehouse.receipts`.

What must hold: nobody acts on a note whose seal is missing or does not fit, and `verify` names it. So a flipped bit
costs work that is done once more, and never a fact.
"""

from collections.abc import Iterator
from typing import Any

from warehouse.finding import Finding
from warehouse.notes import Notes
from warehouse.receipts import sealed_text, unsealed

ORIGIN, GROUPED_DATES = "origin.json", "grouped.json"
UNSENT_ALERTS = "unsent-alerts.json"
EXPORTS, ASKED = "exports", "asked"
"""The notes of a lake, and the folders of those of which there are many; the records of commits are checked apart."""

_THEN = {
    ORIGIN: "the lake is recognised by its partitions then",
    GROUPED_DATES: "the next transform looks at every day then",
    UNSENT_ALERTS: "`shelfprice alerts` lists what needs a person, and the alerts in it are not sent",
    EXPORTS: "the next export to that target sends it all batches once more then, under their ids",
    ASKED: "the command that was killed begins anew then",
}


def write_sealed(notes: Notes, name: str, said: dict[str, Any]) -> None:
    """Write a note over one that stands there."""
    notes.write(name, sealed_text(said))


def read_sealed(notes: Notes, name: str) -> dict[str, Any] | None:
    """Return what a note says; None when there is none.

    Raises
    ------
    ValueError
        When it is not as it was written.
    """
    text = notes.read(name)
    return None if text is None else unsealed(text)


def unproven_notes(notes: Notes) -> Iterator[Finding]:
    """Yield the notes that are not as they were written, each with what becomes of it when it is set aside."""
    many = {name: folder for folder in (EXPORTS, ASKED) for name in notes.names(folder) if name.endswith(".json")}
    for name, kind in {**{one: one for one in (ORIGIN, GROUPED_DATES, UNSENT_ALERTS)}, **many}.items():
        try:
            read_sealed(notes, name)
        except ValueError as error:
            yield Finding(name, "damaged", f"it is not as it was written ({error}): set it aside; {_THEN[kind]}")
