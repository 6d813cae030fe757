"""Run PostgreSQL in a folder until asked to stop.

PostgreSQL refuses to run as root. It runs as Debian's user `postgres` then, who cannot look into the folders of others:
so it is handed the open folder of its data and no path to it. Asked to stop, it ends the sessions of its clients at
once (SIGINT to PostgreSQL) and does not wait until they leave.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catalog.errors import ServiceError

_USER = "postgres"  # of Debian's package
_DEBIAN = Path("/usr/lib/postgresql")
_MISSING = "expected PostgreSQL's `initdb` and `postgres`, found none; install them: apt-get install postgresql"


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, of the newest version that is installed.

    Raises
    ------
    ServiceError
        When it is not installed.
    """
    installed = sorted(_DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    program = str(installed[-1]) if installed else shutil.which(name)
    if program is None:
        raise ServiceError(_MISSING)
    return program


class Folder:
    """The open folder of a database's files, as the programs see it that run as another user.

    Attributes
    ----------
    place
        Its path for these programs.
    options
        What `subprocess` needs for them.
    """

    def __init__(self, folder: Path, *others: int) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        is_root = os.geteuid() == 0
        self.place = f"/proc/self/fd/{self._descriptor}" if is_root else str(folder)
        settings: dict[str, Any] = {"user": _USER, "group": _USER, "extra_groups": ()} if is_root else {}
        self.options: dict[str, Any] = {"cwd": "/", "pass_fds": (self._descriptor, *others), **settings}

    def close(self) -> None:
        """Close it; programs that run keep it open."""
        os.close(self._descriptor)


def make_database(folder: Path, user: str, password: str, name: str) -> None:
    """Make a database in a new folder, whole or not at all, with one user who is asked for the password.

    Raises
    ------
    ServiceError
        When PostgreSQL is missing or cannot make it; the message says what it said.
    """
    initdb, postgres = program("initdb"), program("postgres")
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)  # of a start that was killed
    draft.mkdir(mode=0o700, parents=True)
    reading, writing = os.pipe()
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_USER)
        for stream in (draft, reading):
            os.chown(stream, owner.pw_uid, owner.pw_gid)
    files = Folder(draft, reading)
    try:
        os.write(writing, f"{password}\n".encode())
        os.close(writing)
        _run(
            (
                *(initdb, "-D", files.place, "-U", user, f"--pwfile=/dev/fd/{reading}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            ),
            files,
            "",
        )
        _run((postgres, "--single", "-D", files.place, "template1"), files, f"create database {name}\n")
    finally:
        os.close(reading)
        files.close()
    draft.rename(folder)


def forget_the_dead(folder: Path) -> None:
    """Remove the lock file of a server that was killed and whose exit code nobody has asked for yet.

    PostgreSQL takes such a process for one that runs, and refuses to start. While any process of it works in the
    folder, its lock file stays.
    """
    lock = folder / "postmaster.pid"
    try:
        state = Path(f"/proc/{int(lock.read_text().split()[0])}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError, IndexError):
        return  # there was none, or PostgreSQL sees by itself that it has ended
    if state == "Z" and not any(_works_in(process, folder) for process in Path("/proc").glob("[0-9]*")):
        lock.unlink(missing_ok=True)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder.resolve()
    except OSError:
        return False  # it has ended, or is another user's


def _run(command: Sequence[str], files: Folder, typed: str) -> None:
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False, **files.options)
    if done.returncode:
        output = " ".join((done.stdout[-300:] + done.stderr[-300:]).split())
        raise ServiceError(f"{Path(command[0]).name} exited with code {done.returncode}: {output}")


def main() -> None:
    """Run PostgreSQL; the exit code is its own."""
    folder, *settings = sys.argv[1:]
    files = Folder(Path(folder))
    forget_the_dead(Path(folder))
    chosen = [part for setting in settings for part in ("-c", setting)]
    with subprocess.Popen((program("postgres"), "-D", files.place, *chosen), **files.options) as server:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: server.send_signal(signal.SIGINT))
        code = server.wait()
    sys.exit(code)


if __name__ == "__main__":
    main()
