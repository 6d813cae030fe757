"""Hosts on one machine: network namespaces on a bridge, and a share of a processor for each.

They share the disk, and nothing else but the bridge. That takes root, `ip`, and control groups of the first version.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench.measure import NotHereError

_GROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD = 100_000  # microseconds
_WEIGHT = 100 * 1024  # of a group beside a single process, which has 1,024
_NET = "10.213.77"
BRIDGE_ADDRESS = f"{_NET}.1"
"""Where programs of this machine listen to the hosts."""


def refuse_without_hosts() -> None:
    """Refuse a machine that cannot hold hosts.

    Raises
    ------
    NotHereError
        With what is missing.
    """
    if os.geteuid() != 0:
        raise NotHereError("hosts as network namespaces need root")
    if shutil.which("ip") is None:
        raise NotHereError("hosts as network namespaces need the program ip")
    if not (_GROUPS / "cpu.cfs_quota_us").exists():
        raise NotHereError(f"shares of a processor need control groups of the first version in {_GROUPS}")


class Host:
    """A network namespace with an address of its own, and a control group."""

    def __init__(self, number: int, address: str) -> None:
        self.name, self.address = f"shelfprice{number}", address
        self._group, self._outer = _GROUPS / self.name, f"sp-o{number}"

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
        """Start a program on this host."""
        with log.open("ab") as file:
            process = subprocess.Popen(
                (str(shutil.which("ip")), "netns", "exec", self.name, *command),
                env=environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        (self._group / "cgroup.procs").write_text(str(process.pid), encoding="utf-8")  # its children follow
        return process

    def allow(self, share: float) -> None:
        """Allow the programs of this host a share of one processor, which they get however busy the machine is."""
        (self._group / "cpu.shares").write_text(str(_WEIGHT), encoding="utf-8")
        (self._group / "cpu.cfs_quota_us").write_text(str(round(share * _PERIOD)), encoding="utf-8")

    def set_up(self, bridge: str) -> None:
        """Make the namespace, its cable to the bridge, and the group."""
        outer, inner = self._outer, f"sp-i{self.name[-1]}"
        _ip("netns", "add", self.name)
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.name)
        _ip("link", "set", outer, "master", bridge, "up")
        for words in (
            ("address", "add", f"{self.address}/24", "dev", inner),
            ("link", "set", inner, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self.name, *words)
        self._group.mkdir(exist_ok=True)

    def take_down(self) -> None:
        """Kill what runs here, and remove what was set up."""
        with suppress(OSError):
            for number in (self._group / "cgroup.procs").read_text(encoding="utf-8").split():
                with suppress(ProcessLookupError):
                    os.kill(int(number), signal.SIGKILL)
        cable = ("ip", "link", "del", self._outer)  # first: that of a namespace that is gone goes some time later
        subprocess.run(cable, check=False, stderr=subprocess.DEVNULL)
        subprocess.run(("ip", "netns", "del", self.name), check=False, stderr=subprocess.DEVNULL)  # noqa: S607
        for _ in range(100):
            try:
                self._group.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # the killed are ending
                subprocess.run(("sleep", "0.05"), check=False)  # noqa: S607
            else:
                return


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """Set up some hosts that reach this machine, and each other, by a bridge; all of it is gone in the end."""
    refuse_without_hosts()
    bridge = "sp-bridge"
    with ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("address", "add", f"{BRIDGE_ADDRESS}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        made = []
        for number in range(count):
            host = Host(number, f"{_NET}.{10 + number}")
            stack.callback(host.take_down)
            host.set_up(bridge)
            made.append(host)
        yield made


def _ip(*words: str) -> None:
    try:
        subprocess.run(("ip", *words), check=True, capture_output=True, text=True)  # noqa: S607
    except subprocess.CalledProcessError as error:
        raise NotHereError(f"ip {' '.join(words)}: {error.stderr.strip()}") from error
