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
                "refused": [vars(refusal) for refusal in done.refused],
                "unproven": done.unproven,
            }
        )
        return
    if done.unproven:
        remark(done.unproven)
    for refusal in done.refused:
        where = refusal.file if refusal.position is None else f"{refusal.file}, acknowledgement {refusal.position + 1}"
        remark(f"{where} cannot be used: {refusal.reason}")
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

    statuses, unproven = status(workspace, stores, every_price=as_json), unproven_deliveries(workspace.lake.notes)
    if as_json:
        listed = [{**vars(status_), "now": status_.now.isoformat()} for status_ in statuses]
        emit(
            {
                "stores": [{name: field[name] for name in field if name != "odd"} for field in listed],
                "unproven": unproven,
            }
        )
        return
    for delivery in unproven:
        remark(delivery)
    if not statuses:
        say("Nothing was sent yet: `shelfprice export --to DIR` sends what stores have to show.")
        return
    rows = [
        [status_.store, status_.sent, status_.acknowledged, status_.late, status_.different, status_.last_batch]
        for status_ in statuses
    ]
    columns = ["store", "sent", "acknowledged", "late", "different", "last batch"]
    show_table("Prices on their way to tills and labels", columns, rows, "numbers of products")
    digits = workspace.catalog.store.money.digits
    odd = [_line(status_.store, row, digits) for status_ in statuses for row in status_.odd]
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
        left = [{"file": str(path), "reason": why} for path, why in passed_over]
        emit({"files": [{**vars(file), "file": str(file.file)} for file in files], "passed_over": left})
        return
    for path, why in passed_over:
        remark_passed(path, why)
    for file in files:
        say(
            f"{file.file.name}: {file.taken:,} lines of {file.kind or 'nothing'} taken in, {file.known:,} known already"
        )
        for line, why, expected, value in file.reasons[:_MOST_SHOWN]:
            remark(f"line {line}: {why}: expected {expected}, found {value}")
        if file.reasons:
            remark(f"refused {file.refused:,} lines; --json lists them")
        elif file.refused:
            remark(
                f"{file.file}: refused {file.refused:,} of its lines; {file.file.name}.reasons.csv beside it says why"
            )
    if not files:
        say("No file is waiting.")


def remark_passed(file: Path, why: str) -> None:
    """Say of something in an inbox why it is not taken in."""
    remark(f"{file.name!r} is not taken in: it is {why}")
