"""Set the clock back by an hour between what was done before and a command."""

from tests.faults.child import Fault
from tests.faults.commands import Command
from tests.faults.trial import Bench, Trial

AN_HOUR = -3600.0  # seconds


def set_back(bench: Bench, command: Command) -> Trial:
    """Run a command by a clock that was set back since its world was made, and again by the right one."""
    fault = Fault(clock=AN_HOUR)
    return bench.disturb(command, "clock", fault, f"--only clock --command {command.name}")
