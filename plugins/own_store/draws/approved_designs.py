"""Approval of drawn prices as a whole: a person approves products, band, step and held share, then the draw decides.

A drawn price that waited for a person would no longer be drawn by its chance. So where prices wait for approval, it is
the design that is approved, once, by a record that names it; a design that is changed has to be approved anew.
"""

import datetime as dt

from catalog.errors import Declined
from catalog.load import Catalog
from catalog.records.store import Store
from plugins.own_store.draws.numbered_records import add_record, numbered_records
from warehouse.commits.locks import held
from warehouse.lake import Lake
from warehouse.origin import sells_outside
from warehouse.stores.protocol import LakeStore
from warehouse.workspace import Workspace

TABLE = "design_approvals"
_NAME = "drawn_prices"  # in commands


def design_of(catalog: Catalog) -> str:
    """Return the design of a catalog's drawn prices as text: another one whenever any of it changes."""
    return catalog.store.drawn_prices.model_dump_json()


def may_draw(lake: Lake, catalog: Catalog) -> bool:
    """Tell whether prices may be drawn: nothing waits for a person, or somebody approved the design."""
    if not catalog.store.approval.is_asked_for:
        return True
    newest = _newest(lake, catalog)
    return newest is not None and bool(newest["is_approved"])


def refuse_unapproved(lake: Lake, catalog: Catalog) -> None:
    """Refuse to draw by a design that nobody approved.

    Raises
    ------
    Declined
        With what there is to approve, and how.
    """
    if may_draw(lake, catalog):
        return
    rules = catalog.store.drawn_prices
    products = rules.products if isinstance(rules.products, str) else ", ".join(rules.products)
    raise Declined(
        f"approval: expected that a person approved the design of drawn prices ({products}, {rules.changes}, within "
        f"{rules.band:.0%} of the shelf price in steps of {rules.step:.0%}, {rules.held_share:.0%} held), found "
        f"nobody; nothing was drawn, and what stands on the shelves stays: run `shelfprice decide approve {_NAME}`, "
        "and the next night draws within it"
    )


def decide(workspace: Workspace, reason: str | None, *, is_approved: bool) -> str:
    """Record that a person approved the design as store.yaml has it, or took that back, and say what follows.

    Raises
    ------
    Declined
        When the stores do not sell by themselves, or there is nothing to take back.
    """
    lake, catalog = workspace.lake, workspace.catalog
    then = "nothing was decided: set `sales: outside` and `drawn_prices` in store.yaml"
    refuse_the_twin(lake.store, catalog.store, then)
    with held(workspace.settings.locks, TABLE):
        newest = _newest(lake, catalog)
        if not is_approved and (newest is None or not newest["is_approved"]):
            raise Declined(
                "expected a design that somebody approved, found none; nothing was taken back: `shelfprice decide "
                f"approve {_NAME}` approves the one in store.yaml"
            )
        record = {
            "design": design_of(catalog),
            "is_approved": is_approved,
            "reason": reason,
            "by_whom": workspace.settings.user,
            "decided_at": dt.datetime.now(dt.UTC),
        }
        add_record(lake, TABLE, record, "decided_at")
    if not is_approved:
        return "No further price is drawn until somebody approves the design again; what was drawn stands until then."
    if not catalog.store.approval.is_asked_for:
        return "The design is approved. Nothing waits for it: store.yaml has no `approval`."
    return "The design is approved: nights draw within it, and no drawn price waits. Any other price still does."


def _newest(lake: Lake, catalog: Catalog) -> dict[str, object] | None:
    """Return the newest decision about the design of a catalog; None without one."""
    of_design = [own for own in numbered_records(lake, TABLE) if own["design"] == design_of(catalog)]
    return of_design[-1] if of_design else None


def refuse_the_twin(lake: LakeStore, store: Store, then: str) -> None:
    """Refuse what stores alone can have that sell by themselves.

    Parameters
    ----------
    then
        What was not done, and what to do.

    Raises
    ------
    Declined
        When the twin plays the stores.
    """
    if not sells_outside(lake, store):
        raise Declined(f"expected stores that sell by themselves, found those of the twin; {then}")
