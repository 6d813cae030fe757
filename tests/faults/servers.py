"""Servers that hang, refuse, or close at once: a command says so in one line in time, and works again afterwards."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from tests.faults.child import Fault
from tests.faults.commands import COMMANDS, Command
from tests.faults.compare import difference
from tests.faults.lines import CommandLine
from tests.faults.trial import Bench, Trial
from tests.faults.zygote import DECLINED

Manner = Literal["hangs", "refuses", "closes"]
MANNERS: tuple[Manner, ...] = ("hangs", "refuses", "closes")
WITHIN = 10.0  # seconds more than an undisturbed run takes


@dataclass(frozen=True)
class Service:
    """A service that a command asks: its name, the variable of its address, and the address itself."""

    name: str
    variable: str
    address: str
    asked_by: tuple[str, ...]


SERVICES = (
    Service(
        "Prefect",
        "PREFECT_API_URL",
        "http://127.0.0.1:{port}/api",
        ("simulate", "ingest", "transform", "train", "price", "nightly", "live", "backfill"),
    ),
    Service(
        "MLflow",
        "MLFLOW_TRACKING_URI",
        "http://127.0.0.1:{port}",
        ("train", "price", "nightly", "promote", "rollback", "backfill"),
    ),
)


@contextmanager
def bad_server(manner: Manner) -> Iterator[int]:
    """Listen as a server that hangs or closes at once, or do not listen at all; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        if manner == "refuses":
            listening.close()
            yield port
            return
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                if manner == "closes":
                    connection.close()
                else:
                    taken.append(connection)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
            thread.join()
            for connection in taken:
                connection.close()


def cases(names: tuple[str, ...]) -> list[tuple[Service, Command, Manner]]:
    """Return every service with every command that asks it, in every manner."""
    return [
        (service, COMMANDS[name], manner)
        for service in SERVICES
        for name in service.asked_by
        if name in names
        for manner in MANNERS
    ]


def deny(bench: Bench, variables: Mapping[str, str], service: Service, command: Command, manner: Manner) -> Trial:
    """Run a command while a service it asks is away, then again with one that works."""
    expected, home = bench.expected(command), bench.worlds.copy(command.world)
    try:
        before, _ = bench.look(command.world, home)
        with bad_server(manner) as port:
            address = service.address.format(port=port)
            run = CommandLine(bench.worlds, {**variables, service.variable: address})
            ended = run(command, home, Fault())
        between, _ = bench.look(command.world, home)
        failures = []
        if ended.seconds > WITHIN + expected.seconds:
            failures.append(f"it took {ended.seconds:.0f} s, undisturbed {expected.seconds:.0f} s")
        if f"127.0.0.1:{port}" not in ended.said:
            failures.append(f"it did not name the address, it ended with {ended.code} and said {ended.last_words}")
        if ended.code not in {0, 1, DECLINED}:
            failures.append(f"it ended with {ended.code}")
        if service.name == "Prefect" and difference(between, before):
            failures += [f"it changed {line}" for line in difference(between, before)[:3]]
        failures += bench.goes_on(command, home, is_done=ended.code == 0)
        repeat = f"--only servers --command {command.name}"
        return Trial(command.name, f"{service.name} {manner}", f"{ended.seconds:.1f} s", tuple(failures), repeat)
    finally:
        bench.worlds.forget(home)
