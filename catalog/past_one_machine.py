"""Settings of what more than one machine shares: an object store, a cluster that computes, a database.

Nothing is set by default: one machine needs none of them. Locks are files of this machine; with a database, those that
all machines must see are locked there besides.
"""

import errno
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from catalog.addresses import is_loopback


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
