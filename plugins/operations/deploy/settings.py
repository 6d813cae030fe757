"""What a cluster on this machine is made of: its servers, their ports and secrets, and the settings that lead there."""

import datetime as dt
import json
import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.addresses import Address
from catalog.settings import Settings, read_settings
from plugins.operations.deploy.make_secrets import certificates
from plugins.operations.deploy.servers.dask import Dask
from plugins.operations.deploy.servers.ports import free_address
from plugins.operations.deploy.servers.postgres import Postgres
from plugins.operations.deploy.servers.seaweed import Seaweed

_USUAL = {
    "postgres": 5432,
    "objects": 8333,
    "scheduler": 8786,
    "prefect": 4200,
    "mlflow": 5000,
    "monitor": 8050,
    "api": 8070,
}
_SECRET_BYTES = 24


@dataclass(frozen=True)
class ClusterOnThisMachine:
    """Servers with their files in one folder, and the settings of their clients."""

    folder: Path
    postgres: Postgres
    objects: Seaweed
    dask: Dask
    environment: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        """The settings as the commands read them."""
        return read_settings(self.environment)

    @property
    def env_file(self) -> Path:
        """The file to be sourced by a shell."""
        return self.folder / "env"

    def write_env_file(self) -> None:
        """Write the settings for shells, and where `shelfprice` is, readable by this user alone."""
        lines = [f"export {name}={shlex.quote(text)}\n" for name, text in self.environment.items()]
        programs = shlex.quote(str(Path(sys.executable).parent))
        _write_private(self.env_file, "".join([*lines, f'export PATH={programs}:"$PATH"\n']))


def open_cluster(folder: Path, workers: int) -> ClusterOnThisMachine:
    """Return the cluster of a folder: its secrets are made once, its ports are the usual ones or free ones.

    The certificates of Dask are made anew each time, so that none expires.

    Parameters
    ----------
    workers
        How many Dask workers it has.
    """
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = _secrets_of(folder / "secrets.json")
    addresses = {name: free_address(port) for name, port in _USUAL.items()}
    postgres = Postgres(folder / "postgres", addresses["postgres"], secret["database"])
    objects = Seaweed(folder / "objects", addresses["objects"], secret["key"], secret["secret"])
    shared = {
        "SHELFPRICE_HOME": str(folder / "home"),
        "SHELFPRICE_LAKE": objects.lake,
        **objects.environment,
        "SHELFPRICE_DATABASE": postgres.url,
        **{
            f"SHELFPRICE_{name.upper()}_ADDRESS": _text_of(addresses[name])
            for name in ("prefect", "mlflow", "monitor", "api")
        },
    }
    for name, text in certificates(dt.datetime.now(dt.UTC)).items():
        _write_private(folder / name, text)
        shared[f"SHELFPRICE_{Path(name).stem.replace('-', '_').upper()}"] = str(folder / name)
    dask = Dask(folder / "dask", addresses["scheduler"], workers, shared, "tls")
    return ClusterOnThisMachine(folder, postgres, objects, dask, {**shared, "SHELFPRICE_DASK": dask.url})


def _text_of(address: Address) -> str:
    return f"{address.host}:{address.port}"


def _secrets_of(file: Path) -> dict[str, str]:
    """Return the secrets of a cluster, which are made at its first start."""
    if not file.exists():
        made = {name: secrets.token_hex(_SECRET_BYTES) for name in ("database", "key", "secret")}
        _write_private(file, json.dumps(made))
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _write_private(file: Path, text: str) -> None:
    """Write a file whole or not at all, which this user alone can read from its first moment on."""
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    draft.replace(file)
