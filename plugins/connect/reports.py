"""What `shelfprice export` and `shelfprice take-in` say: what was sent and taken in, and how labels stand."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.cli.console import emit, remark, say, show_table

if TYPE_CHECKING:
    from plugins.connect.intake.inbox import TakenFile
    from plugins.connect.labels.export import ExportResult
    from warehouse.workspace import Workspace

_MOST_SHOWN = 20


def show_exported(done: "ExportResult", *, as_json: bool) -> None:
    """Say what an export took in and sent."""
    if as_json:
        emit(
            {
                "made": [batch.id for batch in done.made],
                "sent": [
                    {"batch": batch.id, "number": batch.number, "store": batch.store, "prices": len(batch.rows)}
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
        say(f"{batch.store}: batch {batch.id} with {len(batch.rows):,} prices sent")
    if not done.sent:
        say("Nothing new to send.")


def show_status(workspace: "Workspace", stores: Sequence[str] | None, *, as_json: bool) -> None:
    """Say how many prices are sent, acknowledged, late and different, and name the odd ones."""
    from plugins.connect.labels.export import unproven_deliveries
    from plugins.connect.labels.status import status

    found, unproven = status(workspace, stores, every_price=as_json), unproven_deliveries(workspace.lake.notes)
    if as_json:
        told = [{**vars(own), "now": own.now.isoformat()} for own in found]
        emit({"stores": [{name: own[name] for name in own if name != "odd"} for own in told], "unproven": unproven})
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
    odd = [_line(own.store, row, digits) for own in found for row in own.odd]
    if odd:
        columns = ["store", "product", "price", "till", "label", "to pay", "said"]
        note = "to pay: the lower of till and label; - has never said what it shows"
        show_table("Late, or till and label differ", columns, odd, note)


def _line(store: str, row: dict[str, Any], digits: int) -> list[str]:
    prices = [
        "-" if row[name] is None else f"{row[name]:.{digits}f}" for name in ("price", "till", "label", "price_to_pay")
    ]
    return [store, row["sku"], *prices, "; ".join(dict.fromkeys(row["problems"]))]


def show_files(files: "Sequence[TakenFile]", passed_over: Sequence[tuple[Path, str]] = (), *, as_json: bool) -> None:
    """Say what each file brought, and what lies there and is not taken in."""
    if as_json:
        left = [{"file": str(file), "reason": why} for file, why in passed_over]
        emit({"files": [{**vars(own), "file": str(own.file)} for own in files], "passed_over": left})
        return
    for file, why in passed_over:
        remark_passed(file, why)
    for own in files:
        say(f"{own.file.name}: {own.taken:,} lines of {own.kind or 'nothing'} taken in, {own.known:,} known already")
        for line, why, expected, found in own.reasons[:_MOST_SHOWN]:
            remark(f"line {line}: {why}: expected {expected}, found {found}")
        if own.reasons:
            remark(f"refused {own.refused:,} lines; --json lists them")
        elif own.refused:
            remark(f"{own.file}: refused {own.refused:,} of its lines; {own.file.name}.reasons.csv beside it says why")
    if not files:
        say("No file is waiting.")


def remark_passed(file: Path, why: str) -> None:
    """Say of something in an inbox why it is not taken in."""
    remark(f"{file.name!r} is not taken in: it is {why}")
