"""SeaweedFS on this machine: an object store that speaks S3, on loopback, with one user and one bucket.

Its parts speak to each other on ports of their own, which ask for no credential: every user of this machine can reach
the objects through them. So this is for trying things out on a machine of one's own.
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.addresses import Address
from catalog.errors import ServiceError
from catalog.settings import read_settings
from plugins.operations.deploy.make_bucket import client_of, is_usable
from plugins.operations.deploy.servers.ports import free_port
from plugins.operations.up.services import Service

BUCKET = "shelfprice"
_REGION = "us-east-1"
_ANSWERS_WITHIN = 3  # seconds
_INNER_PORTS = (
    *("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"),
    "s3.port.grpc",
)
_OPTIONS = {
    "filer": "true",
    "s3": "true",
    "s3.iam": "false",
    "iam": "false",
    "s3.port.iceberg": "0",  # no such part
    "s3.port.lance": "0",
    "master.telemetry": "false",
    "master.electionTimeout": "1s",  # there is one master; by default a second start takes 15 s
    "master.volumeSizeLimitMB": "256",  # small, for each bucket begins with several volumes
    "volume.max": "0",  # as many as the disk holds
    "volume.preStopSeconds": "0",
}
_SOCKETS = Path("/tmp")  # noqa: S108 - SeaweedFS's own choice, of names that cannot be changed
_USERS = "users.json"


@dataclass(frozen=True)
class Seaweed:
    """An object store with one user.

    Attributes
    ----------
    folder
        Where its files are.
    inner_ports
        On which its parts speak to each other.
    """

    folder: Path
    address: Address
    key: str
    secret: str
    inner_ports: tuple[int, ...] = field(default_factory=lambda: tuple(free_port() for _ in _INNER_PORTS))

    @property
    def lake(self) -> str:
        """Where a lake is kept in it, as `SHELFPRICE_LAKE` takes it."""
        return f"s3://{BUCKET}/lake"

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which its clients reach it."""
        return {
            "AWS_ENDPOINT_URL": self.address.url,
            "AWS_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
        }

    def service(self) -> Service:
        """Return it as a service, which is ready when objects can be read from its bucket.

        Raises
        ------
        ServiceError
            When SeaweedFS is missing.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self.folder / _USERS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(_users(self.key, self.secret), file)
        command = (
            _weed(),
            "-logtostderr=true",
            "server",
            *(f"-{name}={text}" for name, text in self._options().items()),
        )
        return Service("objects", "the lake", command, {}, self.address, self.answers, is_ready=self.is_usable)

    def _options(self) -> dict[str, str]:
        """Return the options of `weed server`."""
        host, folder = self.address.host, str(self.folder)
        inner = dict(zip(_INNER_PORTS, map(str, self.inner_ports), strict=True))
        return (
            _OPTIONS
            | inner
            | {
                "dir": folder,
                "ip": host,
                "ip.bind": host,
                "s3.port": str(self.address.port),
                "s3.config": f"{folder}/{_USERS}",
            }
        )

    def forget_sockets(self) -> None:
        """Remove the sockets that it leaves when it is killed, as it is: to end by itself takes it 15 s."""
        for port in (self.address.port, *self.inner_ports):
            for socket in _SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)

    def answers(self) -> bool:
        """Return whether it lets our user in and answers."""
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._client()
        try:
            return "Buckets" in client.list_buckets()
        except (BotoCoreError, ClientError):
            return False
        finally:
            client.close()

    def is_usable(self) -> bool:
        """Make the bucket unless it is there, and tell whether objects in it can be read."""
        client = self._client()
        try:
            return is_usable(client, BUCKET)
        finally:
            client.close()

    def _client(self) -> Any:
        return client_of(read_settings(self.environment), _ANSWERS_WITHIN)


def _weed() -> str:
    """Return the program; it lies beside the interpreter."""
    path = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if path is None:
        raise ServiceError("expected SeaweedFS's program `weed`, found none; install it: make install-cluster")
    return path


def _users(key: str, secret: str) -> dict[str, object]:
    login = {"accessKey": key, "secretKey": secret}
    return {
        "identities": [
            {"name": "shelfprice", "credentials": [login], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        ]
    }
