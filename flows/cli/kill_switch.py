"""The command that puts base prices on the shelf at once, and takes that back."""

from enum import StrEnum
from typing import Annotated

import typer

from catalog.errors import Declined
from flows.cli.options import Catalog, Json, text_of
from flows.cli.price_changes import OneStore, Reason, ask_and_show, decide_and_show


class Position(StrEnum):
    """Where the switch is put."""

    on = "on"
    off = "off"


_OVER = {"rejected", "withdrawn", "expired"}
On = Annotated[Position, typer.Argument(help="on: base prices from the next tick; off: the policy prices again.")]


def kill_switch(
    position: On, reason: Reason, store: OneStore = None, catalog: Catalog = None, as_json: Json = False
) -> None:
    """Show base prices from the next tick on, in one store or in every store, or let the policy price again.

    It is kept in the lake. The switch of store.yaml, `guardrails.kill_switch`, is another one: it also stops the making
    of price books.

    For example:
      shelfprice kill-switch on --reason "prices look wrong"
      shelfprice kill-switch off --reason "they were right"
    """
    from desk.price_changes.desk import Wish
    from desk.price_changes.record import changes_by_people
    from etl.live.store_now import next_tick
    from flows.workspace import open_workspace

    folder = text_of(catalog)
    if position is Position.on:
        ask_and_show(Wish("kill_switch", reason, store=store), None, None, folder, as_json=as_json)
        return
    workspace = open_workspace(folder)
    now = next_tick(workspace.lake, workspace.catalog, store)
    on = [
        change.id
        for change in changes_by_people(workspace.lake, now)
        if change.terms.kind == "kill_switch" and change.terms.store == store and change.state(now) not in _OVER
    ]
    if not on:
        where = f"in {store}" if store else "for every store"
        raise Declined(f"expected a kill switch that is on {where}, found none; nothing was changed")
    decide_and_show(on, "withdrawn", reason, folder, as_json=as_json)
