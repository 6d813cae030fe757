"""What people are told when the champion changed."""

from typing import Any

from flows.cli.console import emit, remark


def show_change(done: Any, *, as_json: bool) -> None:
    """Print a change of champion, and whether the registry has yet to follow."""
    change = done.change
    if done.registry_is_behind:
        remark(f"the registry is updated before the next training or pricing: {done.registry_is_behind}")
    if as_json:
        told = {name: value for name, value in vars(done).items() if name != "change"}
        emit({**vars(change), **told})
        return
    if done.is_repeated:
        remark(
            f"{change.decided_by} did this at {change.decided_at:%Y-%m-%d %H:%M} UTC for the same reason; nothing more "
            "was changed: to go on from there, name a version or give another reason"
        )
    remark(
        f"version {change.version} is champion in place of {change.previous or 'none'} and prices from "
        f"{change.prices_from}, from the book made for {done.book_made_for}"
    )
