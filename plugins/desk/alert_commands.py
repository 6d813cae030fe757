"""The command that says what needs a person, here and by message."""

from typing import TYPE_CHECKING, Annotated

import typer

from catalog.errors import DataError
from flows.cli.command import RUN_AGAIN, Catalog, Json, command, text_of
from flows.cli.console import emit, say, show_table

if TYPE_CHECKING:
    from warehouse.workspace import Workspace

Test = Annotated[bool, typer.Option("--test", help="Send one message to each channel, and say what happened.")]
Send = Annotated[bool, typer.Option("--send", help="Send the digest to each channel.")]


@command("desk", when_stopped=RUN_AGAIN)
def alerts(test: Test = False, send: Send = False, catalog: Catalog = None, as_json: Json = False) -> None:
    """Look at the stores now, and list what needs a person, the oldest first. --send sends the digest of the morning.

    Live stores look while they sell and nights at their end. Each alert is told once when it begins, and is over when
    what it is about is mended. Messages go to the webhook of `alerts` and to the mail server of `notify` in store.yaml;
    by default to nobody. The digest says what waits, what was earned and which alerts are open; with `notify.digest`,
    each night sends it by itself. docs/operations.md has signatures, retries and the log.

    For example:
      shelfprice alerts
      shelfprice alerts --test
    """
    from flows.workspace import open_workspace

    if test and send:
        raise typer.BadParameter("expected --test or --send, found both; choose one")
    workspace = open_workspace(text_of(catalog))
    if test or send:
        _message(workspace, is_test=test, as_json=as_json)
    else:
        _listed(workspace, as_json=as_json)


def _listed(workspace: "Workspace", *, as_json: bool) -> None:
    from plugins.desk.alerts.watch import open_alerts, watch
    from plugins.desk.notify.outbox import unsent

    watch(workspace)
    alerts, waiting = open_alerts(workspace.lake), sum(map(len, unsent(workspace.lake).values()))
    if as_json:
        listed = [{**vars(event.alert), "raised_at": event.raised_at.isoformat()} for event in alerts]
        emit({"alerts": listed, "unsent": waiting})
    elif not alerts:
        say("Nothing needs a person.")
    else:
        rows = [[f"{event.raised_at:%Y-%m-%d %H:%M}", event.alert.kind, event.alert.sentence] for event in alerts]
        show_table(f"{len(alerts)} alerts", ["since, UTC", "rule", "what to do"], rows)
    if waiting and not as_json:
        say(f"Not sent yet: {waiting}. Each look tries again; `shelfprice alerts --test` says what is wrong.")


def _message(workspace: "Workspace", *, is_test: bool, as_json: bool) -> None:
    from plugins.desk.notify.channels import channels_of
    from plugins.desk.notify.digest import send_digest
    from plugins.desk.notify.outbox import try_channels

    if not channels_of(workspace):
        raise DataError(
            "expected a webhook or a mail server, found none; nothing was sent: set `alerts.webhook` or `notify.email` "
            "in store.yaml"
        )
    if not is_test:
        message = send_digest(workspace)
        emit(message) if as_json else say(message["sentence"])
        return
    tried = try_channels(workspace)
    if as_json:
        emit({"tried": [{"channel": channel, "problem": problem} for channel, problem in tried.items()]})
    for channel, problem in () if as_json else tried.items():
        say(f"{channel}: {'it was taken' if problem is None else f'it was not taken, {problem}'}")
    if any(tried.values()):
        raise typer.Exit(1)
