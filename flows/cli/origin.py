"""The early answer of commands that publish decisions: whether this lake is theirs, before anything starts."""

from catalog.settings import read_settings
from warehouse.open_store import open_store
from warehouse.origin import Side, refuse_other_side


def admit(side: Side) -> None:
    """Let a command of a side begin.

    Raises
    ------
    Declined
        When the lake holds the decisions of the other side; the message says what to do.
    """
    refuse_other_side(open_store(read_settings()), side)
