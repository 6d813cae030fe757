"""Where a Delta lake is, and with which settings its object store is reached."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from catalog.addresses import is_loopback, without_login
from catalog.errors import SettingError
from catalog.settings import Settings

if TYPE_CHECKING:
    from obstore.store import BackoffConfig, RetryConfig

_BUCKET = "s3://"

# A server that is absent, refuses or hangs is told within 10 s: connecting, waiting for an answer, one more attempt.
CONNECT, ANSWER, LAST_ATTEMPT = timedelta(seconds=2), timedelta(seconds=6), timedelta(seconds=6)
_WHOLE = timedelta(minutes=5)
ATTEMPTS = 1


@dataclass(frozen=True)
class LakeAddress:
    """A bucket with a prefix.

    Attributes
    ----------
    text
        As it was set, for messages.
    prefix
        Of every name in the bucket; empty for none.
    """

    text: str
    bucket: str
    prefix: str = ""

    def of(self, name: str) -> str:
        """Return what other programs open for an object."""
        return _BUCKET + "/".join(part for part in (self.bucket, self.prefix, name) if part)


def lake_address(settings: Settings) -> LakeAddress:
    """Return where the settings keep the lake.

    Raises
    ------
    SettingError
        When they name no object store.
    """
    text = settings.lake_address or ""
    if not text.startswith(_BUCKET):
        raise SettingError(f"SHELFPRICE_LAKE: expected s3://bucket/prefix, found {text!r}")
    _refuse_half_a_login(settings)
    bucket, _, prefix = text.removeprefix(_BUCKET).partition("/")
    return LakeAddress(text, bucket, prefix)


def _refuse_half_a_login(settings: Settings) -> None:
    """Refuse to ask a store without user and password, unless it is Amazon's, which knows its own machines."""
    login = {"AWS_ACCESS_KEY_ID": settings.s3_key, "AWS_SECRET_ACCESS_KEY": settings.s3_secret}
    unset = [variable for variable, text in login.items() if not text]
    if unset and (settings.s3_endpoint or len(unset) < len(login)):
        raise SettingError(
            f"{' and '.join(unset)}: expected the login of the object store at {server_of(settings)}, found nothing; "
            "nothing was read or written: set it, as `make cluster` and `plugins.operations.deploy.make_secrets` "
            "write it down"
        )


def server_of(settings: Settings) -> str:
    """Return the address of the object store for messages, without a login."""
    return without_login(settings.s3_endpoint) if settings.s3_endpoint else "Amazon S3"


def store_options(settings: Settings) -> dict[str, Any]:
    """Return the options of obstore's S3 store, but for its retries."""
    secret = settings.s3_secret and settings.s3_secret.get_secret_value()
    texts = {
        "endpoint": settings.s3_endpoint,
        "region": settings.s3_region,
        "access_key_id": settings.s3_key,
        "secret_access_key": secret,
    }
    client = {"connect_timeout": CONNECT, "read_timeout": ANSWER, "timeout": _WHOLE, "allow_http": _is_plain(settings)}
    return {**{name: value for name, value in texts.items() if value}, "client_options": client}


def retries(attempts: int) -> "RetryConfig":
    """Return obstore's options for a number of attempts after the first."""
    backoff: BackoffConfig = {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1)}
    return {"max_retries": attempts, "retry_timeout": LAST_ATTEMPT, "backoff": backoff}


def log_options(settings: Settings) -> dict[str, str]:
    """Return the options with which delta-rs opens the same store."""
    secret = settings.s3_secret and settings.s3_secret.get_secret_value()
    texts = {
        "aws_endpoint_url": settings.s3_endpoint,
        "aws_region": settings.s3_region,
        "aws_access_key_id": settings.s3_key,
        "aws_secret_access_key": secret,
        "aws_conditional_put": "etag",
        "allow_http": str(_is_plain(settings)).lower(),
        "connect_timeout": f"{CONNECT.seconds}s",
        "timeout": f"{ANSWER.seconds}s",
        "max_retries": str(ATTEMPTS),
        "retry_timeout": f"{LAST_ATTEMPT.seconds}s",
    }
    return {name: value for name, value in texts.items() if value}


def _is_plain(settings: Settings) -> bool:
    """Return whether requests to the object store go without TLS: they may on loopback, and elsewhere where allowed.

    Raises
    ------
    SettingError
        When another machine's is to be.
    """
    endpoint = urlsplit(settings.s3_endpoint or "https://")
    if endpoint.scheme == "http" and not is_loopback(endpoint.hostname or "") and not settings.s3_plain:
        raise SettingError(
            f"AWS_ENDPOINT_URL: expected https:// off loopback, found {server_of(settings)}; nothing was read or "
            "written: give the object store a certificate, or set AWS_ALLOW_HTTP=true where nobody else listens"
        )
    return endpoint.scheme == "http"
