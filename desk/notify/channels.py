"""The channels that a chain has, as its catalog and the environment say; none by default."""

from catalog.settings import key_of
from desk.notify.email import EmailChannel
from desk.notify.message import Channel
from desk.notify.webhook import WebhookChannel
from warehouse.workspace import Workspace


def channels_of(workspace: Workspace) -> list[Channel]:
    """Return where messages go."""
    store, settings = workspace.catalog.store, workspace.settings
    found = list[Channel]()
    if store.alerts.webhook is not None:
        secret = settings.webhook_secret
        found.append(WebhookChannel(store.alerts.webhook, None if secret is None else key_of(secret)))
    if store.notify.email is not None:
        found.append(EmailChannel(store.notify.email, settings.smtp_password))
    return found
