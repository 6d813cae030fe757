"""Where things live and who is spoken to. Read from the environment once, at the edge, and handed down."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Places on this machine. `home` holds everything that is generated."""

    home: Path
    tracking_uri: str

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
    def artifacts(self) -> Path:
        """Folder of MLflow's artifacts when the registry is a local file."""
        return self.home / "mlflow" / "artifacts"

    @property
    def prefect_home(self) -> Path:
        """Folder of Prefect's own database."""
        return self.home / "prefect"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read `SHELFPRICE_HOME` (default `data`) and `MLFLOW_TRACKING_URI` (default a file in it)."""
    values = os.environ if environ is None else environ
    home = Path(values.get("SHELFPRICE_HOME") or "data").resolve()
    uri = values.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow' / 'mlflow.db'}"
    return Settings(home=home, tracking_uri=uri)
