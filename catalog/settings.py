"""Where things live and who is spoken to. Read from the environment once, at the edge, and handed down."""

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.addresses import Address
from catalog.errors import SettingError

_HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Settings:
    """Places on this machine, where services listen, and who acts.

    `home` holds everything that is generated; `catalog_dir` is the folder of the shelf and the store where nobody names
    one, and None for those that ship with the project; `user` is who decides by hand.
    """

    home: Path
    tracking_uri: str
    prefect: Address
    mlflow: Address
    monitor: Address
    prefect_api: str
    user: str
    catalog_dir: str | None

    @property
    def lake(self) -> Path:
        """Folder of the Parquet tables."""
        return self.home / "lake"

    @property
    def warehouse_file(self) -> Path:
        """The DuckDB file of views that analysts open read-only."""
        return self.home / "warehouse.duckdb"

    @property
    def locks(self) -> Path:
        """Folder of the lock files."""
        return self.home / "locks"

    @property
    def shelf(self) -> Path:
        """Folder of the shelf that was estimated from a retailer's export."""
        return self.home / "shelf"

    @property
    def scratch(self) -> Path:
        """Folder of what is kept on disk while an export is taken in."""
        return self.home / "scratch"

    @property
    def artifacts(self) -> Path:
        """Folder of MLflow's artifacts when the registry is a local file."""
        return self.home / "mlflow" / "artifacts"

    @property
    def prefect_home(self) -> Path:
        """Folder of Prefect's own database."""
        return self.home / "prefect"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, each with its default.

    `SHELFPRICE_HOME` (`data`), `MLFLOW_TRACKING_URI` (a file in it), where services listen:
    `SHELFPRICE_PREFECT_ADDRESS` (127.0.0.1:4200), `SHELFPRICE_MLFLOW_ADDRESS` (127.0.0.1:5000),
    `SHELFPRICE_MONITOR_ADDRESS` (127.0.0.1:8050), `PREFECT_API_URL` (the API at the first of them), the catalog where a
    command or a run names none, `SHELFPRICE_CATALOG` (the one that ships with the project), and `SHELFPRICE_USER`, the
    name under which decisions of people are recorded (that of the system's user).

    Raises
    ------
    SettingError
        When an address is not a host and a port.
    """
    values = os.environ if environ is None else environ
    home = Path(values.get("SHELFPRICE_HOME") or "data").resolve()
    uri = values.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow' / 'mlflow.db'}"
    prefect = _address(values, "SHELFPRICE_PREFECT_ADDRESS", 4200)
    return Settings(
        home=home,
        tracking_uri=uri,
        prefect=prefect,
        mlflow=_address(values, "SHELFPRICE_MLFLOW_ADDRESS", 5000),
        monitor=_address(values, "SHELFPRICE_MONITOR_ADDRESS", 8050),
        prefect_api=values.get("PREFECT_API_URL") or f"{prefect.url}/api",
        user=values.get("SHELFPRICE_USER") or _system_user(),
        catalog_dir=values.get("SHELFPRICE_CATALOG") or None,
    )


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def _address(values: Mapping[str, str], setting: str, port: int) -> Address:
    text = values.get(setting) or f"127.0.0.1:{port}"
    host, _, number = text.rpartition(":")
    if not host or not number.isdecimal() or not 0 < int(number) <= _HIGHEST_PORT:
        raise SettingError(f"{setting}: expected a host and a port such as 127.0.0.1:{port}, found {text!r}")
    return Address(host, int(number), setting)
