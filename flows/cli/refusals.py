"""What the lake and the catalog alone can tell to be in vain: it is refused before Prefect and MLflow are imported."""

from catalog.settings import read_settings
from warehouse.open_store import open_store
from warehouse.origin import Side, refuse_other_side


def refuse_without_cells() -> None:
    """Refuse to learn from a lake, or to price by it, that holds no demand cells.

    Raises
    ------
    DataError
        When there are none.
    """
    from etl.business_dates import newest_grouped
    from warehouse.lake import Lake

    newest_grouped(Lake(read_settings()))


def admit(side: Side) -> None:
    """Let a command of a side publish decisions.

    Raises
    ------
    Declined
        When the lake holds the decisions of the other side; the message says what to do.
    """
    refuse_other_side(open_store(read_settings()), side)
