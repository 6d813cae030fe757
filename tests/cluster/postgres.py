"""A PostgreSQL server of the tests' own: made in a temporary folder, on 127.0.0.1 with a password, and ended with them.

Nothing of it is kept, so it does not wait for the disk.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, NAME = "shelfprice", "shelfprice"
_START_TIMEOUT = 60.0  # seconds; the machine may be busy
_POLL_INTERVAL = 0.1  # seconds
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")


@dataclass(frozen=True)
class PostgresServer:
    """A server that listens on 127.0.0.1; `programs` is the folder of its programs, `folder` that of its files."""

    programs: Path
    folder: Path
    port: int
    password: str

    def url(self, name: str = NAME) -> str:
        """Return the address of one of its databases, as `SHELFPRICE_DATABASE` has it."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it, beside this process and not below it, and wait until it answers."""
        command = (self.programs / "pg_ctl", "start", "-D", self.folder / "data", "-l", self.folder / "data" / "log")
        timeout = f"--timeout={_START_TIMEOUT:.0f}"
        subprocess.run((*_as_its_user(), *command, timeout), check=True, stdout=subprocess.DEVNULL, cwd="/")

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        command = (self.programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={self.port}")
        return subprocess.run(command, check=False).returncode == 0

    @property
    def process(self) -> int:
        """The id of its main process."""
        return int((self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def kill(self) -> None:
        """Kill its main process, as a machine that loses its power does; the others end by themselves."""
        os.kill(self.process, signal.SIGKILL)
        self._wait_until_ended()
        (self.folder / "data" / "postmaster.pid").unlink()  # its process may wait for its parent yet

    def stop(self) -> None:
        """End it at once, cleanly; one that does not run is no matter."""
        command = (*_as_its_user(), self.programs / "pg_ctl", "stop", "-D", self.folder / "data", "-m", "immediate")
        subprocess.run(command, check=False, capture_output=True)

    def create(self, name: str) -> str:
        """Create an empty database and return its address."""
        self.run(f'create database "{name}"')
        return self.url(name)

    def run(self, statement: str, name: str = NAME) -> str:
        """Run a statement and return what it answers, a row a line."""
        command = (self.programs / "psql", "--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1")
        done = subprocess.run(
            (*command, "--host=127.0.0.1", f"--port={self.port}", f"--username={USER}", name, "-c", statement),
            env={**os.environ, "PGPASSWORD": self.password},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def _wait_until_ended(self) -> None:
        """Wait until none of its processes uses its folder any more; a new main process would refuse to start."""
        limit = time.monotonic() + _START_TIMEOUT
        while _processes_in(self.folder / "data"):
            if time.monotonic() > limit:
                raise TimeoutError("PostgreSQL's processes stayed after their main process was killed")
            time.sleep(_POLL_INTERVAL)


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest that is installed; None where it is not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    beside = shutil.which("initdb")
    return Path(beside).parent if beside else None


@contextmanager
def postgres_server(network: str | None = None) -> Iterator[PostgresServer]:
    """Run a server with one database, `NAME`, that belongs to `USER`; it and its files are gone afterwards.

    Parameters
    ----------
    network
        From which others may reach it as well, such as `10.99.7.0/24`.

    Raises
    ------
    FileNotFoundError
        When PostgreSQL is not installed.
    """
    where = programs()
    if where is None:
        raise FileNotFoundError("PostgreSQL's initdb is not installed: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="shelfprice-postgres-"))
    server = PostgresServer(where, folder, _free_port(), secrets.token_urlsafe(12))
    try:
        _make(server, network)
        server.start()
        server.run(f"create database {NAME}", "postgres")
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _make(server: PostgresServer, network: str | None) -> None:
    """Make its files: they belong to another user where we are root, as whom PostgreSQL refuses to run."""
    secret = server.folder / "password"
    secret.write_text(server.password, encoding="utf-8")
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        for path in (server.folder, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    command = (
        *(*_as_its_user(), server.programs / "initdb", "-D", server.folder / "data", "--username", USER),
        *("--auth", "scram-sha-256", "--pwfile", secret, "--encoding", "UTF8", "--locale", "C", "--no-sync"),
    )
    subprocess.run(command, check=True, capture_output=True, cwd="/")
    secret.unlink()
    where = "*" if network else "127.0.0.1"
    own = (f"port={server.port}", f"listen_addresses='{where}'", "unix_socket_directories=''")
    with (server.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("".join(f"{line}\n" for line in (*own, *_SETTINGS)))
    if network:
        with (server.folder / "data" / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.write(f"host all all {network} scram-sha-256\n")


def _as_its_user() -> tuple[str, ...]:
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()


def _processes_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder, as PostgreSQL's do in that of its data."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended, or is not ours to look at
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
