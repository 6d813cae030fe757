"""The command that sends prices to tills and shelf labels."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import Catalog, Json, not_empty, text_of
from flows.cli.price_changes import OneStore

if TYPE_CHECKING:
    from connect.export.export import Exported
    from connect.export.targets import Format
    from warehouse.workspace import Workspace


class Formats(StrEnum):
    """What the files of a batch are written in."""

    csv = "csv"
    json = "json"
    both = "both"


To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="DIR|URL",
        callback=not_empty,
        help="Folder for a file of each batch, or an address with https that takes each as a POST.",
    ),
]
AsFormat = Annotated[
    Formats | None, typer.Option("--format", help="By default both in a folder, and json to an address.")
]
Full = Annotated[bool, typer.Option("--full", help="Send every price, not those alone that are not acknowledged.")]
Follow = Annotated[bool, typer.Option("--follow", help="Go on at each tick of live stores until stopped.")]
Status = Annotated[
    bool, typer.Option("--status", help="Send nothing; show what is sent, acknowledged, late and different.")
]


def export(
    to: To = None,
    store: OneStore = None,
    format_: AsFormat = None,
    full: Full = False,
    follow: Follow = False,
    status: Status = False,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Send the prices that stores have to show next to tills and shelf labels, and take in what they acknowledge.

    The same prices are the same batch: nothing is sent twice. A batch is recorded before it is sent, and sent again
    after a kill. Acknowledgements come as files in DIR/acks, or over HTTP to `shelfprice serve`;
    docs/tills-and-labels.md has the formats.

    For example:
      shelfprice export --to labels --store S01
      shelfprice export --to labels --follow
      shelfprice export --status
    """
    from connect.export.export import export as run
    from connect.export.targets import target_of
    from flows.workspace import open_workspace

    if status == (to is not None) or (status and (full or follow or format_)) or (full and follow):
        raise typer.BadParameter("expected --to, with --full or --follow if wanted, or --status alone; choose one")
    folder = text_of(catalog)
    workspace = open_workspace(folder)
    stores = None if store is None else (store,)
    if to is None:
        _show_status(workspace, stores, as_json=as_json)
        return
    target = target_of(workspace.settings, to, _formats(format_))
    if not follow:
        _show(run(workspace, target, stores, full=full), as_json=as_json)
        return
    from connect.following import follow as going_on
    from flows.cli.console import remark
    from flows.workspace import watched_catalog

    for done in going_on(workspace, watched_catalog(folder), target, stores, remark):
        _show(done, as_json=as_json)


def _formats(chosen: Formats | None) -> "Sequence[Format] | None":
    if chosen is None:
        return None
    both: dict[Formats, Sequence[Format]] = {
        Formats.both: ("csv", "json"),
        Formats.csv: ("csv",),
        Formats.json: ("json",),
    }
    return both[chosen]


def _show(done: "Exported", *, as_json: bool) -> None:
    from flows.cli.console import emit, remark, say

    if as_json:
        emit(
            {
                "made": [batch.id for batch in done.made],
                "sent": [
                    {"batch": batch.id, "number": batch.number, "store": batch.store, "prices": len(batch.prices)}
                    for batch in done.sent
                ],
                "acknowledged": done.acknowledged,
                "refused": [vars(own) for own in done.refused],
                "unproven": done.unproven,
            }
        )
        return
    if done.unproven:
        remark(done.unproven)
    for own in done.refused:
        where = own.file if own.position is None else f"{own.file}, acknowledgement {own.position + 1}"
        remark(f"{where} cannot be used: {own.reason}")
    if done.acknowledged:
        say(f"Taken in: {done.acknowledged:,} prices that tills and labels acknowledged.")
    for batch in done.sent:
        say(f"{batch.store}: batch {batch.id} with {len(batch.prices):,} prices sent")
    if not done.sent:
        say("Nothing new to send.")


def _show_status(workspace: "Workspace", stores: Sequence[str] | None, *, as_json: bool) -> None:
    from connect.export.delivered import unproven_deliveries
    from connect.export.status import status
    from flows.cli.console import emit, remark, say, show_table

    found, unproven = status(workspace, stores), unproven_deliveries(workspace.lake.notes)
    if as_json:
        emit({"stores": [{**vars(own), "now": own.now.isoformat()} for own in found], "unproven": unproven})
        return
    for said in unproven:
        remark(said)
    if not found:
        say("Nothing was sent yet: `shelfprice export --to DIR` sends what stores have to show.")
        return
    rows = [[own.store, own.sent, own.acknowledged, own.late, own.different, own.last_batch] for own in found]
    columns = ["store", "sent", "acknowledged", "late", "different", "last batch"]
    show_table("Prices on their way to tills and labels", columns, rows, "numbers of products")
    digits = workspace.catalog.store.money.digits
    odd = [
        _line(own.store, row, digits) for own in found for row in own.prices if row["is_late"] or row["is_different"]
    ]
    if odd:
        title = "Late, or till and label differ: the customer pays the lower price"
        show_table(title, ["store", "product", "price", "till", "label", "to pay", "said"], odd)


def _line(store: str, row: dict[str, Any], digits: int) -> list[str]:
    prices = [
        "-" if row[name] is None else f"{row[name]:.{digits}f}" for name in ("price", "till", "label", "price_to_pay")
    ]
    return [store, row["sku"], *prices, "; ".join(dict.fromkeys(row["problems"]))]
