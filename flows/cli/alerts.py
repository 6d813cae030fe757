"""The command that says what needs a person."""

from flows.cli.options import Catalog, Json, text_of


def alerts(catalog: Catalog = None, as_json: Json = False) -> None:
    """Look at the stores now, and list what needs a person, the oldest first.

    Live stores look while they sell and nights at their end; `alerts` in store.yaml says what counts, and where alerts
    are sent. Each is told once when it begins, and is over when what it is about is mended. One that could not be sent
    is kept, and sent by a later look.

    For example:
      shelfprice alerts
    """
    from desk.alerts.unsent import unsent
    from desk.alerts.watch import open_alerts, watch
    from flows.cli.console import emit, say, show_table
    from flows.workspace import open_workspace

    workspace = open_workspace(text_of(catalog))
    watch(workspace)
    found, waiting = open_alerts(workspace.lake), len(unsent(workspace.lake))
    if as_json:
        listed = [{**vars(own.alert), "raised_at": own.raised_at.isoformat()} for own in found]
        emit({"alerts": listed, "unsent": waiting})
    elif not found:
        say("Nothing needs a person.")
    else:
        rows = [[f"{own.raised_at:%Y-%m-%d %H:%M}", own.alert.kind, own.alert.sentence] for own in found]
        show_table(f"{len(found)} alerts", ["since, UTC", "rule", "what to do"], rows)
    if waiting and not as_json:
        say(f"Not sent yet: {waiting}. The webhook did not take them; each look tries again: see whether it answers.")
