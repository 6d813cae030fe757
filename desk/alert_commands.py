"""The commands that say what needs a person, here and by message."""

from typing import Annotated

import typer

from catalog.errors import DataError
from flows.cli.command import RUN_AGAIN, command
from flows.cli.console import emit, say, show_table
from flows.cli.options import Catalog, Json, text_of

Test = Annotated[bool, typer.Option("--test", help="Send one message to each channel, and say what happened.")]
Send = Annotated[bool, typer.Option("--send", help="Send the digest to each channel.")]


@command("desk", when_stopped=RUN_AGAIN)
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
    from flows.workspace import open_workspace

    workspace = open_workspace(text_of(catalog))
    watch(workspace)
    found, waiting = open_alerts(workspace.lake), sum(map(len, unsent(workspace.lake).values()))
    if as_json:
        listed = [{**vars(own.alert), "raised_at": own.raised_at.isoformat()} for own in found]
        emit({"alerts": listed, "unsent": waiting})
    elif not found:
        say("Nothing needs a person.")
    else:
        rows = [[f"{own.raised_at:%Y-%m-%d %H:%M}", own.alert.kind, own.alert.sentence] for own in found]
        show_table(f"{len(found)} alerts", ["since, UTC", "rule", "what to do"], rows)
    if waiting and not as_json:
        say(f"Not sent yet: {waiting}. Each look tries again; `shelfprice notify --test` says what is wrong.")


@command("desk", when_stopped=RUN_AGAIN)
def notify(test: Test = False, send: Send = False, catalog: Catalog = None, as_json: Json = False) -> None:
    """Show the digest of this morning: what waits, what was earned, which alerts are open. --send sends it.

    Messages go to the webhook of `alerts` and to the mail server of `notify` in store.yaml; by default to nobody. With
    `notify.digest`, each night sends the digest by itself. docs/operations.md has signatures, retries and the log.

    For example:
      shelfprice notify
      shelfprice notify --test
    """
    from desk.notify.channels import channels_of
    from desk.notify.digest import digest
    from desk.notify.tell import send_digest, try_channels
    from flows.workspace import open_workspace

    if test and send:
        raise typer.BadParameter("expected --test or --send, found both; choose one")
    workspace = open_workspace(text_of(catalog))
    if (test or send) and not channels_of(workspace):
        raise DataError(
            "expected a webhook or a mail server, found none; nothing was sent: set `alerts.webhook` or `notify.email` "
            "in store.yaml"
        )
    if not test:
        message = send_digest(workspace) if send else digest(workspace)
        emit(message) if as_json else say(message["sentence"])
        return
    tried = try_channels(workspace)
    if as_json:
        emit({"tried": [one._asdict() for one in tried]})
    for one in [] if as_json else tried:
        say(f"{one.channel}: {'it was taken' if one.problem is None else f'it was not taken, {one.problem}'}")
    if any(one.problem is not None for one in tried):
        raise typer.Exit(1)


COMMANDS = (alerts, notify)
