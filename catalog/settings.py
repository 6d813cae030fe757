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
from typing import Any, Literal, get_args

from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo

from catalog.addresses import Address, is_loopback, without_login
from catalog.errors import SettingError
from catalog.records.refusals import refused, schema_of

Role = Literal["viewer", "manager", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""What people may do in the monitor, the least first: each may do what those before it may."""


@dataclass(frozen=True)
class LockPlace:
    """The locks of one home: files in a folder, and a PostgreSQL that holds the locks of all machines, if there is one.

    `about` is what the locks are about, the same on every machine: the address of the lake.
    """

    folder: Path
    about: str = ""
    database: SecretStr | None = None


_ODD_IN_PATHS = frozenset("*?[]{}%\\,") | {chr(code) for code in (*range(32), 127)}
"""What DuckDB reads as a pattern or as the end of a path, and the addresses of databases as an escape."""

_FORMS = {
    "lake_address": (
        re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9_.-]*)*/*"),
        "s3://bucket/prefix; a bucket: 3 to 63 small letters, digits, dots, hyphens",
    ),
    "dask": (
        re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}"),
        "tls://host:port, or tcp://127.0.0.1:port",
    ),
    "database": (
        re.compile(r"postgresql://([^/?#@\s]+@)?[^/?#@\s]+/[^/?#@\s]+(\?[^#\s]*)?"),
        "postgresql://user:password@host:port/name, with what is not a letter as %..",
    ),
    "worker": (
        re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"),
        "a name of at most 63 letters, digits, dots, dashes and underscores",
    ),
}
"""The form of a setting, and in words."""

_HIGHEST_PORT = 65_535
_LONGEST_HOME = 400  # bytes; SQLite takes 512 with the names of its own files


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def _registry_of(fields: dict[str, Any]) -> str:
    """Return where the registry is by default: the address of a database, which has a password, is no client's."""
    if fields.get("database") is not None:
        return str(fields["mlflow"].url)
    return f"sqlite:///{fields['home'] / 'mlflow' / 'mlflow.db'}"


def key_of(secret: SecretStr) -> bytes:
    """Return the bytes of a webhook's secret.

    Raises
    ------
    ValueError
        When it is not base64.
    """
    return base64.b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)


def _roles_in(text: str) -> tuple[tuple[str, Role], ...]:
    """Read who is what from `name=role` pairs between commas; `*` is everybody else.

    Raises
    ------
    ValueError
        When a pair is none, or its role is unknown.
    """
    pairs: list[tuple[str, Role]] = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, given = (part.strip() for part in pair.rpartition("="))
        role = next((role for role in ROLES if role == given), None)
        if not name or role is None:
            raise ValueError(f"expected pairs such as anna=manager with {', '.join(ROLES)}, found {pair!r}")
        pairs.append((name, role))
    return tuple(pairs)


def _in_words(default: str) -> dict[str, JsonValue]:
    """Return what the reference of the configuration says of a default."""
    return {"default_in_words": default}


class Settings(BaseModel):
    """What the environment says. Frozen: `settings.model_copy(update={...})` makes another.

    A path or address that has no variable of its own follows from `home` or from another field.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        alias_generator=AliasGenerator(validation_alias=lambda name: f"SHELFPRICE_{name.upper()}"),
    )

    user_header: str | None = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")
    """header in which a reverse proxy names who uses the monitor, such as `X-Forwarded-User`; without one, everyone who
    opens it is the local admin"""
    roles: tuple[tuple[str, Role], ...] = Field((), json_schema_extra=_in_words("none"))
    """what the people in that header may do, such as `anna=manager,ben=admin,*=viewer`; others are viewers"""

    lake_address: str | None = Field(
        None, validation_alias="SHELFPRICE_LAKE", json_schema_extra=_in_words("plain Parquet in `SHELFPRICE_HOME/lake`")
    )
    """where the lake is kept as Delta Lake tables: `s3://bucket/prefix`"""
    s3_endpoint: str | None = Field(None, validation_alias="AWS_ENDPOINT_URL", json_schema_extra=_in_words("Amazon's"))
    """address of the object store, such as `http://127.0.0.1:8333`"""
    s3_region: str = Field("us-east-1", validation_alias="AWS_REGION")
    """region of the object store"""
    s3_key: str | None = Field(None, validation_alias="AWS_ACCESS_KEY_ID")
    """user of the object store"""
    s3_secret: SecretStr | None = Field(None, validation_alias="AWS_SECRET_ACCESS_KEY")
    """password of that user"""
    s3_plain: bool = Field(default=False, validation_alias="AWS_ALLOW_HTTP")
    """whether the object store may be off loopback without TLS, as in a network of containers that nobody else listens
    to"""
    dask: str | None = Field(None, json_schema_extra=_in_words("processes of this machine"))
    """scheduler of a Dask cluster that plays, groups, learns, prices, ingests and compares: `tls://host:8786`, or
    `tcp://` on loopback"""
    dask_ca: Path | None = None
    """file of the certificate authority that scheduler, workers and clients trust"""
    dask_cert: Path | None = None
    """file of our own certificate for the cluster"""
    dask_key: Path | None = None
    """file of the key of that certificate"""
    database: SecretStr | None = Field(
        None, json_schema_extra=_in_words("SQLite and the kernel's locks in `SHELFPRICE_HOME`")
    )
    """PostgreSQL for Prefect, MLflow and locks that all machines see: `postgresql://user:password@host:5432/name`"""
    worker: str | None = Field(None, json_schema_extra=_in_words("one made of the host's name and `SHELFPRICE_HOME`"))
    """name by which the worker that executes runs knows those it took before it was started again; no two workers of
    one database may share it"""

    home: Path = Path("data")
    r"""folder of everything that is generated: lake, warehouse, models, runs; a path of at most 400 bytes without `* ?
    [ ] { } % \ ,`"""
    prefect: Address = Field("127.0.0.1:4200", validate_default=True, validation_alias="SHELFPRICE_PREFECT_ADDRESS")
    """host and port on which `shelfprice up` starts Prefect"""
    mlflow: Address = Field("127.0.0.1:5000", validate_default=True, validation_alias="SHELFPRICE_MLFLOW_ADDRESS")
    """host and port on which it starts MLflow"""
    tracking_uri: str = Field(
        default_factory=_registry_of,
        validation_alias="MLFLOW_TRACKING_URI",
        json_schema_extra=_in_words(
            "a file in `SHELFPRICE_HOME`; with `SHELFPRICE_DATABASE`, MLflow's server of `shelfprice up`"
        ),
    )
    """MLflow's tracking store and model registry"""
    monitor: Address = Field("127.0.0.1:8050", validate_default=True, validation_alias="SHELFPRICE_MONITOR_ADDRESS")
    """host and port on which it, or `shelfprice monitor`, starts the monitor"""
    quote_api: Address = Field("127.0.0.1:8070", validate_default=True, validation_alias="SHELFPRICE_API_ADDRESS")
    """host and port on which it, or `shelfprice serve`, starts the quote API; on loopback"""
    api_rate: int = Field(5_000, ge=1)
    """requests a second that the quote API takes from one client: a token, or an address without one"""
    inbox_lines: int = Field(2_000_000, ge=1)
    """lines that a file for `shelfprice take-in` may have"""
    sql_memory: int = Field(1_000, ge=100, le=1_000_000)
    """memory in MB that `shelfprice sql` takes for a query; one that needs more is refused"""
    sql_seconds: int = Field(300, ge=1, le=86_400)
    """seconds that `shelfprice sql` takes for an answer; a query that takes longer is ended"""
    prefect_api: str = Field(
        default_factory=lambda fields: f"{fields['prefect'].url}/api",
        validation_alias="PREFECT_API_URL",
        json_schema_extra=_in_words("that of `shelfprice up`; without it, commands run without Prefect"),
    )
    """Prefect's API"""
    prefect_login: SecretStr | None = Field(
        None,
        validation_alias="PREFECT_SERVER_API_AUTH_STRING",
        json_schema_extra=_in_words("generated, in the file `prefect/login` of `SHELFPRICE_HOME`"),
    )
    """`user:password` of Prefect; choose it where others could reach Prefect"""
    user: str = Field(default_factory=_system_user, json_schema_extra=_in_words("the system's user"))
    """name recorded for what is done by hand: a promotion, a rollback, a decision about prices"""
    catalog_dir: str | None = Field(
        None,
        validation_alias="SHELFPRICE_CATALOG",
        json_schema_extra=_in_words("the shelf that ships; of a retailer's lake, `SHELFPRICE_HOME/shelf`"),
    )
    """folder of both YAML files, or the name of one that ships, where `--catalog` is not given"""
    now: str | None = Field(None, json_schema_extra=_in_words("this machine's clock"))
    """clock of a rehearsal: a moment such as `2026-01-19T08:00:00Z`, or a file that holds one and is read at each
    request; refused unless `store.yaml` says `rehearsal: true`"""
    monitor_user: str | None = None
    """user name the monitor asks for; required where others could reach it"""
    monitor_password: SecretStr | None = None
    """password of that user"""
    smtp_password: SecretStr | None = None
    """password of the mail server, for the `user` of `notify.email`"""
    webhook_secret: SecretStr | None = None
    """key that signs messages to the webhook: 24 to 64 bytes in base64, with or without `whsec_` before"""
    monitor_hosts: tuple[str, ...] = ()
    """further host names that the monitor, Prefect and the quote API answer to, separated by commas"""

    @field_validator(*_FORMS, mode="before")
    @classmethod
    def _has_its_form(cls, text: object, info: ValidationInfo) -> object:
        form, expected = _FORMS[str(info.field_name)]
        if text is not None and not form.fullmatch(str(text)):
            raise ValueError(f"expected {expected}")
        return text

    @field_validator("lake_address")
    @classmethod
    def _has_one_name(cls, text: str | None) -> str | None:
        return text and text.rstrip("/")  # and so one set of locks

    @field_validator("dask")
    @classmethod
    def _is_encrypted_off_loopback(cls, text: str | None) -> str | None:
        if text is not None and text.startswith("tcp:") and not is_loopback(text[len("tcp://") :].rpartition(":")[0]):
            raise ValueError(
                "expected tls:// off loopback: anyone who reaches a Dask scheduler can run code on it and its workers"
            )
        return text

    @field_validator("home")
    @classmethod
    def _is_usable(cls, folder: Path) -> Path:
        try:
            str(folder).encode()
            folder.stat()
        except (UnicodeError, OSError) as error:
            if getattr(error, "errno", errno.ELOOP) == errno.ELOOP:  # `resolve` accepts a circle from Python 3.13 on
                raise ValueError(
                    "expected a path in UTF-8 that leads somewhere; nothing was done: name another"
                ) from error
        home = folder.resolve()
        if set(str(home)) & _ODD_IN_PATHS or len(str(home).encode()) > _LONGEST_HOME:
            raise ValueError(
                f"expected a path of at most {_LONGEST_HOME} bytes without control characters and * ? [ ] {{ }} % \\ , "
                "for DuckDB and SQLite read others otherwise; nothing was done: name another folder"
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

    @field_validator("roles", mode="before")
    @classmethod
    def _are_pairs(cls, text: object) -> object:
        return _roles_in(text) if isinstance(text, str) else text

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
    variables_set = os.environ if environ is None else environ
    variables = map(_variable_of, Settings.model_fields.values())
    try:
        return Settings(**{name: value for name in variables if (value := variables_set.get(name))})
    except ValidationError as error:
        refusal = refused(error, schema_of(Settings))._replace(is_rule=False)  # the value is ours to tell: see below
        is_secret = refusal.field in _secrets()
        sentence = refusal.sentence(lambda value: "another text" if is_secret else without_login(repr(value)))
        raise SettingError(sentence) from error


def _secrets() -> set[str]:
    """Return the variables whose value is shown nowhere, not even when it cannot be used."""
    return {_variable_of(field) for field in Settings.model_fields.values() if field.annotation == SecretStr | None}


def _variable_of(field: FieldInfo) -> str:
    return str(field.validation_alias)
