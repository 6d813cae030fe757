"""Fill the disk from one write on: every later write fails too, until the command runs again."""

from tests.faults.child import WRITES, Fault
from tests.faults.commands import Command
from tests.faults.trial import Bench, Trial


def writes_of(bench: Bench, command: Command) -> list[int]:
    """Return the numbers of the operations that take space."""
    return [number for number, kind, _ in bench.expected(command).operations if kind in WRITES]


def fill(bench: Bench, command: Command, at: int) -> Trial:
    """Let the disk be full from a write on, and see what comes of it."""
    return bench.disturb(command, "full", Fault("full", at), f"--only full --command {command.name} --at {at}")
