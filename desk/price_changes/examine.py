"""What would become of what people ask for, without recording it: terms, conflicts and what they bring."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.errors import ShelfpriceError
from desk.price_changes.change import Terms
from desk.price_changes.conflicts import Before, below_cost, refuse_overlaps
from desk.price_changes.consequence import Consequence
from desk.price_changes.request import PriceRequest, examined_terms, facts_for
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Examined:
    """What would become of one request.

    Attributes
    ----------
    terms
        What would be recorded; empty where it can never hold.
    conflicts
        What speaks against it, in a sentence each.
    consequence
        What it is expected to bring, as `DeskAnswer` has it.
    problem
        Why it can never hold; None where it can.
    """

    terms: tuple[Terms, ...] = ()
    conflicts: tuple[str, ...] = ()
    consequence: Consequence | None = None
    problem: str | None = None


def examined(workspace: Workspace, request: PriceRequest) -> Examined:
    """Tell what would become of a request.

    Raises
    ------
    CatalogError, DataError
        When it can never hold.
    """
    return _examined(workspace, examined_terms(facts_for(workspace, (request,)), request))


def examined_all(workspace: Workspace, requests: Sequence[PriceRequest]) -> list[Examined]:
    """Tell what would become of each of several requests of one action; one that can never hold has a problem."""
    if not requests:
        return []
    facts, before, found = facts_for(workspace, requests), Before(), list[Examined]()
    for request in requests:
        try:
            told = examined_terms(facts, request)
            refuse_overlaps(workspace.catalog, told[0], before)
            found.append(_examined(workspace, told))
        except ShelfpriceError as error:
            found.append(Examined(problem=str(error)))
    return found


def _examined(workspace: Workspace, told: tuple[Sequence[Terms], Sequence[str], Consequence | None]) -> Examined:
    terms, against, consequence = told
    costly = [said for own in terms if (said := below_cost(workspace.catalog, own)) is not None]
    return Examined(tuple(terms), tuple(dict.fromkeys((*costly, *against))), consequence)
