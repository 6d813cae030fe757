"""The command that lists price changes."""

from typing import Annotated

import typer

from flows.cli.completion import known_skus
from flows.cli.options import Catalog, Json, text_of
from flows.cli.price_changes import OneStore, show_changes

Waiting = Annotated[bool, typer.Option("--waiting", help="Only those that wait for a person.")]
Everything = Annotated[bool, typer.Option("--all", help="Also those that are over, withdrawn or rejected.")]
OfSku = Annotated[str | None, typer.Option("--sku", help="Only of one product.", autocompletion=known_skus)]


def changes(
    waiting: Waiting = False,
    everything: Everything = False,
    sku: OfSku = None,
    store: OneStore = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """List what people and policies want to change about prices: what waits, is scheduled, or in force.

    For example:
      shelfprice changes --waiting
      shelfprice changes --all --store S01 --json
    """
    from desk.price_changes.listing import rows_of
    from desk.price_changes.record import all_changes
    from etl.live.calendar import refuse_unknown_store
    from flows.cli.console import say
    from flows.workspace import open_workspace

    workspace = open_workspace(text_of(catalog))
    if sku is not None:
        workspace.catalog.product(sku)
    if store is not None:
        refuse_unknown_store(workspace.catalog, store)
    found = all_changes(workspace.lake)
    states = {row["change"]: row["state"] for row in rows_of(workspace, found)}
    wanted = {"proposed"} if waiting else {"proposed", "scheduled", "in_force", "superseded"}
    chosen = [
        change
        for change in found
        if (everything or states[change.id] in wanted)
        and sku in {None, change.terms.sku}
        and store in {None, change.terms.store}
    ]
    if not chosen and not as_json:
        say("No price change is recorded as waiting." if waiting else "There is no such price change.")
        return
    title = "1 price change" if len(chosen) == 1 else f"{len(chosen)} price changes"
    show_changes(workspace, chosen, as_json=as_json, title=title)
