"""Where files live, where services listen, and who decides. Read from the environment once, at the edge, and passed on.

Each field is one environment variable; `docs/configuration.md` lists them from here. What more than one machine shares
(an object store, a cluster that computes, a database) is unset by default: one machine needs none of them.
"""

import base64
import errno
import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from catalog.addresses import Address, is_loopback, without_login
from catalog.errors import SettingError
from catalog.records.refusals import refused, schema_of
from catalog.roles import People


@dataclass(frozen=True)
class LockPlace:
    """The locks of one home.

    Attributes
    ----------
    folder
        Of the lock files, which the kernel watches.
    about
        What the locks are about, the same on every machine: the address of the lake.
    database
        PostgreSQL that holds the locks of all machines; None where one machine works alone.
    """

    folder: Path
    about: str = ""
    database: SecretStr | None = None


ODD_IN_PATHS = frozenset("*?[]{}%\\,") | {chr(code) for code in (*range(32), 127)}
"""What DuckDB reads as a pattern or as the end of a path, and the addresses of databases as an escape."""

_LAKE = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
_SCHEDULER = re.compile(r"(?P<how>tcp|tls)://(?P<host>\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):(?P<port>\d{1,5})")
_WORKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_DATABASE = re.compile(r"postgresql://([^/?#@\s]+@)?[^/?#@\s]+/[^/?#@\s]+(\?[^#\s]*)?")


def resolved(folder: Path) -> Path:
    """Return the absolute path of a folder, without links.

    Raises
    ------
    ValueError
        When the path is no UTF-8, or its links lead in a circle, which `Path.resolve` accepts from Python 3.13 on.
    """
    leads_nowhere = "expected a path in UTF-8 that leads somewhere; nothing was done: name another"
    try:
        str(folder).encode()
        folder.stat()
    except UnicodeError as error:
        raise ValueError(leads_nowhere) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ValueError(leads_nowhere) from error
    return folder.resolve()


class PastOneMachine(BaseModel):
    """What is shared where more than one machine works."""

    lake_address: str | None = Field(
        default=None,
        validation_alias="SHELFPRICE_LAKE",
        description="where the lake is kept as Delta Lake tables: `s3://bucket/prefix`",
        json_schema_extra={"default_in_words": "plain Parquet in `SHELFPRICE_HOME/lake`"},
    )
    s3_endpoint: str | None = Field(
        default=None,
        validation_alias="AWS_ENDPOINT_URL",
        description="address of the object store, such as `http://127.0.0.1:8333`",
        json_schema_extra={"default_in_words": "Amazon's"},
    )
    s3_region: str = Field(default="us-east-1", validation_alias="AWS_REGION", description="region of the object store")
    s3_key: str | None = Field(
        default=None, validation_alias="AWS_ACCESS_KEY_ID", description="user of the object store"
    )
    s3_secret: SecretStr | None = Field(
        default=None, validation_alias="AWS_SECRET_ACCESS_KEY", description="password of that user"
    )
    s3_plain: bool = Field(
        default=False,
        validation_alias="AWS_ALLOW_HTTP",
        description="whether the object store may be off loopback without TLS, as in a network of containers that "
        "nobody else listens to",
    )
    dask: str | None = Field(
        default=None,
        validation_alias="SHELFPRICE_DASK",
        description="scheduler of a Dask cluster that plays, groups, learns, prices, ingests and compares: "
        "`tls://host:8786`, or `tcp://` on loopback",
        json_schema_extra={"default_in_words": "processes of this machine"},
    )
    dask_ca: Path | None = Field(
        default=None,
        validation_alias="SHELFPRICE_DASK_CA",
        description="file of the certificate authority that scheduler, workers and clients trust",
    )
    dask_cert: Path | None = Field(
        default=None, validation_alias="SHELFPRICE_DASK_CERT", description="file of our own certificate for the cluster"
    )
    dask_key: Path | None = Field(
        default=None, validation_alias="SHELFPRICE_DASK_KEY", description="file of the key of that certificate"
    )
    database: SecretStr | None = Field(
        default=None,
        validation_alias="SHELFPRICE_DATABASE",
        description="PostgreSQL for Prefect, MLflow and locks that all machines see: "
        "`postgresql://user:password@host:5432/name`",
        json_schema_extra={"default_in_words": "SQLite and the kernel's locks in `SHELFPRICE_HOME`"},
    )
    worker: str | None = Field(
        default=None,
        validation_alias="SHELFPRICE_WORKER",
        description="name by which the worker that executes runs knows those it took before it was started again; no "
        "two workers of one database may share it",
        json_schema_extra={"default_in_words": "one made of the host's name and `SHELFPRICE_HOME`"},
    )

    @field_validator("lake_address")
    @classmethod
    def _is_a_lake(cls, text: str | None) -> str | None:
        if text is not None and not _LAKE.fullmatch(text.rstrip("/")):
            raise ValueError("expected s3://bucket/prefix; a bucket: 3 to 63 small letters, digits, dots, hyphens")
        return text and text.rstrip("/")  # one lake has one name, and so one set of locks

    @field_validator("dask")
    @classmethod
    def _is_a_scheduler(cls, text: str | None) -> str | None:
        found = _SCHEDULER.fullmatch(text) if text is not None else None
        if text is not None and found is None:
            raise ValueError("expected tls://host:port, or tcp://127.0.0.1:port")
        if found and found["how"] == "tcp" and not is_loopback(found["host"]):
            raise ValueError(
                "expected tls:// off loopback: anyone who reaches a Dask scheduler can run code on it and its workers"
            )
        return text

    @field_validator("worker")
    @classmethod
    def _is_a_name(cls, text: str | None) -> str | None:
        if text is not None and not _WORKER.fullmatch(text):
            raise ValueError("expected a name of at most 63 letters, digits, dots, dashes and underscores")
        return text

    @field_validator("database", mode="before")
    @classmethod
    def _is_postgresql(cls, text: object) -> object:
        if text is not None and not _DATABASE.fullmatch(str(text)):
            raise ValueError("expected postgresql://user:password@host:port/name, with what is not a letter as %..")
        return text


_HIGHEST_PORT = 65_535
_IN_WORDS = "default_in_words"
_LONGEST_HOME = 400
"""Bytes; SQLite takes 512 with the names of its own files."""


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def _registry_of(known: dict[str, Any]) -> str:
    """Return where the registry is by default: the address of a database, which has a password, is no client's."""
    if known.get("database") is not None:
        return str(known["mlflow"].url)
    return f"sqlite:///{known['home'] / 'mlflow' / 'mlflow.db'}"


def key_of(secret: SecretStr) -> bytes:
    """Return the bytes of a webhook's secret.

    Raises
    ------
    ValueError
        When it is not base64.
    """
    return base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)


class Settings(PastOneMachine, People):
    """What the environment says. Frozen: `settings.model_copy(update={...})` makes another.

    A path or address that has no variable of its own follows from `home` or from another field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    home: Path = Field(
        default=Path("data"),
        validation_alias="SHELFPRICE_HOME",
        description="folder of everything that is generated: lake, warehouse, models, runs; a path of at most 400 "
        "bytes without `* ? [ ] { } % \\ ,`",
    )
    prefect: Address = Field(
        default="127.0.0.1:4200",
        validate_default=True,
        validation_alias="SHELFPRICE_PREFECT_ADDRESS",
        description="host and port on which `shelfprice up` starts Prefect",
    )
    mlflow: Address = Field(
        default="127.0.0.1:5000",
        validate_default=True,
        validation_alias="SHELFPRICE_MLFLOW_ADDRESS",
        description="host and port on which it starts MLflow",
    )
    tracking_uri: str = Field(
        default_factory=_registry_of,
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow's tracking store and model registry",
        json_schema_extra={
            _IN_WORDS: "a file in `SHELFPRICE_HOME`; with `SHELFPRICE_DATABASE`, MLflow's server of `shelfprice up`"
        },
    )
    monitor: Address = Field(
        default="127.0.0.1:8050",
        validate_default=True,
        validation_alias="SHELFPRICE_MONITOR_ADDRESS",
        description="host and port on which it, or `shelfprice monitor`, starts the monitor",
    )
    quote_api: Address = Field(
        default="127.0.0.1:8070",
        validate_default=True,
        validation_alias="SHELFPRICE_API_ADDRESS",
        description="host and port on which it, or `shelfprice serve`, starts the quote API; on loopback",
    )
    api_rate: int = Field(
        default=5_000,
        ge=1,
        validation_alias="SHELFPRICE_API_RATE",
        description="requests a second that the quote API takes from one client: a token, or an address without one",
    )
    inbox_lines: int = Field(
        default=2_000_000,
        ge=1,
        validation_alias="SHELFPRICE_INBOX_LINES",
        description="lines that a file for `shelfprice take-in` may have",
    )
    sql_memory: int = Field(
        default=1_000,
        ge=100,
        le=1_000_000,
        validation_alias="SHELFPRICE_SQL_MEMORY",
        description="memory in MB that `shelfprice sql` takes for a query; one that needs more is refused",
    )
    sql_seconds: int = Field(
        default=300,
        ge=1,
        le=86_400,
        validation_alias="SHELFPRICE_SQL_SECONDS",
        description="seconds that `shelfprice sql` takes for an answer; a query that takes longer is ended",
    )
    prefect_api: str = Field(
        default_factory=lambda known: f"{known['prefect'].url}/api",
        validation_alias="PREFECT_API_URL",
        description="Prefect's API",
        json_schema_extra={_IN_WORDS: "that of `shelfprice up`; without it, commands run without Prefect"},
    )
    prefect_login: SecretStr | None = Field(
        default=None,
        validation_alias="PREFECT_SERVER_API_AUTH_STRING",
        description="`user:password` of Prefect; choose it where others could reach Prefect",
        json_schema_extra={_IN_WORDS: "generated, in the file `prefect/login` of `SHELFPRICE_HOME`"},
    )
    user: str = Field(
        default_factory=_system_user,
        validation_alias="SHELFPRICE_USER",
        description="name recorded for what is done by hand: a promotion, a rollback, a decision about prices",
        json_schema_extra={_IN_WORDS: "the system's user"},
    )
    catalog_dir: str | None = Field(
        default=None,
        validation_alias="SHELFPRICE_CATALOG",
        description="folder of both YAML files, or the name of one that ships, where `--catalog` is not given",
        json_schema_extra={_IN_WORDS: "the shelf that ships; of a retailer's lake, `SHELFPRICE_HOME/shelf`"},
    )
    now: str | None = Field(
        default=None,
        validation_alias="SHELFPRICE_NOW",
        description="clock of a rehearsal: a moment such as `2026-01-19T08:00:00Z`, or a file that holds one and is "
        "read at each request; refused unless `store.yaml` says `rehearsal: true`",
        json_schema_extra={_IN_WORDS: "this machine's clock"},
    )
    monitor_user: str | None = Field(
        default=None,
        validation_alias="SHELFPRICE_MONITOR_USER",
        description="user name the monitor asks for; required where others could reach it",
    )
    monitor_password: SecretStr | None = Field(
        default=None, validation_alias="SHELFPRICE_MONITOR_PASSWORD", description="password of that user"
    )
    smtp_password: SecretStr | None = Field(
        default=None,
        validation_alias="SHELFPRICE_SMTP_PASSWORD",
        description="password of the mail server, for the `user` of `notify.email`",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        validation_alias="SHELFPRICE_WEBHOOK_SECRET",
        description="key that signs messages to the webhook: 24 to 64 bytes in base64, with or without `whsec_` before",
    )
    monitor_hosts: tuple[str, ...] = Field(
        default=(),
        validation_alias="SHELFPRICE_MONITOR_HOSTS",
        description="further host names that the monitor, Prefect and the quote API answer to, separated by commas",
    )

    @field_validator("home")
    @classmethod
    def _is_usable(cls, folder: Path) -> Path:
        home = resolved(folder)
        length = len(str(home).encode())
        if set(str(home)) & ODD_IN_PATHS:
            raise ValueError(
                "expected a path without * ? [ ] { } % \\ , and control characters, which DuckDB and the addresses of "
                "databases read otherwise; nothing was done: name another folder"
            )
        if length > _LONGEST_HOME:
            raise ValueError(
                f"expected a path of at most {_LONGEST_HOME} bytes, for SQLite opens no longer ones; nothing was done: "
                f"name a shorter one than these {length}"
            )
        return home

    @field_validator("prefect", "mlflow", "monitor", "quote_api", mode="before")
    @classmethod
    def _has_host_and_port(cls, text: object, info: ValidationInfo) -> Address:
        field = cls.model_fields[str(info.field_name)]
        host, _, number = str(text).rpartition(":")
        if not host or not number.isdecimal() or not 0 < int(number) <= _HIGHEST_PORT:
            raise ValueError(f"expected a host and a port such as {field.default}")
        return Address(host, int(number), _variable_of(field))

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_key(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            try:
                is_long = 24 <= len(key_of(secret)) <= 64  # noqa: PLR2004 - as Standard Webhooks has it
            except ValueError:
                is_long = False
            if not is_long:
                raise ValueError("expected 24 to 64 bytes in base64: make some with `openssl rand -base64 32`")
        return secret

    @field_validator("monitor_hosts", mode="before")
    @classmethod
    def _is_separated_by_commas(cls, text: object) -> object:
        return tuple(name.strip() for name in text.split(",") if name.strip()) if isinstance(text, str) else text

    @property
    def lake(self) -> Path:
        """Folder of the Parquet tables."""
        return self.home / "lake"

    @property
    def warehouse_file(self) -> Path:
        """The DuckDB file of views that analysts open read-only."""
        return self.home / "warehouse.duckdb"

    @property
    def locks(self) -> LockPlace:
        """Where locks are: files in a folder, and in the database where there is one."""
        return LockPlace(self.home / "locks", self.lake_address or self.home.as_uri(), self.database)

    @property
    def shelf(self) -> Path:
        """Folder of the shelf that was estimated from a retailer's export."""
        return self.home / "shelf"

    @property
    def scratch(self) -> Path:
        """Folder of temporary files while an export is ingested."""
        return self.home / "scratch"

    @property
    def incoming(self) -> Path:
        """Folder of what comes through standard input while it is ingested."""
        return self.home / "incoming"

    @property
    def spill(self) -> Path:
        """Folder of what does not fit into memory while a table is computed; it is there only then."""
        return self.home / "spill"

    @property
    def artifacts(self) -> Path:
        """Folder of MLflow's artifacts when the registry is a local file."""
        return self.home / "mlflow" / "artifacts"

    @property
    def prefect_home(self) -> Path:
        """Folder of Prefect's own database."""
        return self.home / "prefect"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from a mapping, by default the process's environment; what is not set or empty has its default.

    Raises
    ------
    SettingError
        When a variable cannot be used; the message says which, what was expected and what was found.
    """
    known = os.environ if environ is None else environ
    variables = map(_variable_of, Settings.model_fields.values())
    try:
        return Settings(**{name: value for name in variables if (value := known.get(name))})
    except ValidationError as error:
        refusal = refused(error, schema_of(Settings))._replace(is_rule=False)  # the value is ours to tell: see below
        is_secret = refusal.field in _secrets()
        told = refusal.sentence(lambda found: "another text" if is_secret else without_login(repr(found)))
        raise SettingError(told) from error


def _secrets() -> set[str]:
    """Return the variables whose value is shown nowhere, not even when it cannot be used."""
    return {_variable_of(field) for field in Settings.model_fields.values() if field.annotation == SecretStr | None}


def _variable_of(field: FieldInfo) -> str:
    return str(field.validation_alias)
