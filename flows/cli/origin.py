"""The early answer of commands that publish decisions: whether this lake is theirs, before anything starts."""

from catalog.settings import read_settings
from warehouse.open_store import open_store
from warehouse.origin import Side, refuse_other_side


def admit(side: Side, *, allow_mixture: bool = False) -> None:
    """Let a command of a side begin; with `allow_mixture`, also in a lake of the other side, which is then a mixture.

    Raises
    ------
    Declined
        When the lake holds the decisions of the other side; the message says what to do.
    """
    from warehouse import mixture

    settings = read_settings()
    store = open_store(settings)
    if allow_mixture:
        mixture.allow_mixture(store, settings.locks, side)
    refuse_other_side(store, side)
