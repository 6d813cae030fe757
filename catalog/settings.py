"""Where files live, where services listen, and who decides. Read from the environment once, at the edge, and passed on.

Each field is one environment variable; `docs/configuration.md` lists them from here.
"""

import base64
import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from catalog.addresses import Address, without_login
from catalog.errors import SettingError
from catalog.past_one_machine import ODD_IN_PATHS, LockPlace, PastOneMachine, resolved
from catalog.records.refusals import refused, schema_of
from catalog.roles import People

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
