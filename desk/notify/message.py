"""A message, and a channel that takes messages: what the webhook and the mail server have in common."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

Message = dict[str, str]
"""What is told: `kind` (the rule of an alert, `digest` or `test`), `subject`, `sentence`, and `at`, the moment in the
time of the stores."""


class Refusal(NamedTuple):
    """Why a channel did not take messages, without addresses and passwords.

    Attributes
    ----------
    is_final
        Whether the same messages would be refused again at once.
    is_away
        Whether other messages would be, too.
    """

    why: str
    is_final: bool = False
    is_away: bool = False


class Channel(Protocol):
    """Where messages go.

    Attributes
    ----------
    name
        `webhook` or `email`.
    patience
        Seconds that one attempt may wait for an answer.
    """

    name: str
    patience: float

    def groups(self, messages: Sequence[Message]) -> list[Sequence[Message]]:
        """Return the messages in the groups in which they are delivered."""

    def deliver(self, messages: Sequence[Message], seconds: float) -> Refusal | None:
        """Deliver a group once; None when it was taken."""
