"""The command that lists every change of champion. It needs no orchestrator."""

from flows.cli.console import emit, show_table
from flows.cli.options import Json

_WORDS = {
    "promoted_by_gate": "promoted by the gate",
    "promoted_by_hand": "promoted by hand",
    "rolled_back": "rolled back",
    "found": "found in the registry",
}


def champions(as_json: Json = False) -> None:
    """List every change of champion: who decided, when, why, and what the version earned while it priced."""
    from catalog.settings import read_settings
    from warehouse.history import champion_history
    from warehouse.lake import Lake
    from warehouse.money import money_of

    settings = read_settings()
    changes = champion_history(settings)
    if as_json:
        emit({"champions": changes})
        return
    rows = [
        [
            row["change"],
            row["version"],
            _WORDS.get(row["action"], row["action"]),
            row["decided_by"],
            f"{row['decided_at']:%Y-%m-%d %H:%M}",
            row["prices_from"],
            row["count_store_days"],
            row["revenue_eur"] / row["count_store_days"] if row["count_store_days"] else None,
            row["reason"],
        ]
        for row in changes
    ]
    earned = money_of(Lake(settings)).format_title("EUR a store day")
    names = ["", "version", "what", "who", "when, UTC", "prices from", "store days", earned, "why"]
    show_table("Champions, newest first", names, rows)
