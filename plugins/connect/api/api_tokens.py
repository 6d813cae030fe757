"""Tokens of the quote API. Their file holds hashes alone, and only its owner can read it.

A token is 256 random bits, so it cannot be guessed, and a slow, salted hash would add nothing: those protect passwords
that people choose. All hashes are compared, each in constant time, so timing reveals nothing.
"""

import datetime as dt
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from catalog.errors import DataError, ServiceError
from catalog.settings import Settings
from warehouse.commits.locks import held
from warehouse.files import sync_folder

Scope = Literal["read", "acknowledge", "sell", "propose", "approve"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
MAY: Mapping[Scope, str] = {
    "read": "ask for prices, list price changes, and see what would become of one; every token may",
    "acknowledge": "say what tills and labels show",
    "sell": "say what was sold, what was counted, and how many visitors came",
    "propose": "ask for price changes",
    "approve": "decide on price changes",
}
"""What a client may do with each scope."""
_BYTES = 32
_PREFIX = "shelfprice_"  # by which scanners for leaked secrets recognise one
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LOCK = "api-tokens"


@dataclass(frozen=True)
class Token:
    """A token: its name, the SHA-256 of its text, its scopes, when it was made (UTC), and its stores; None is all."""

    name: str
    sha256: str
    scopes: tuple[Scope, ...]
    made_at: dt.datetime
    stores: tuple[str, ...] | None = None


_FILE = TypeAdapter(tuple[Token, ...])


def tokens_file(settings: Settings) -> Path:
    """Return the file of the tokens."""
    return settings.home / "api" / "tokens"


def known_tokens(settings: Settings) -> tuple[Token, ...]:
    """Return the tokens, in order of their names.

    Raises
    ------
    ServiceError
        When the file cannot be read; every token is refused then.
    """
    file = tokens_file(settings)
    try:
        return _FILE.validate_json(file.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        raise ServiceError(
            f"{file}: expected the hashes of tokens, found something else; no token is taken: remove the file and add "
            "the tokens anew"
        ) from error


def add_token(
    settings: Settings, name: str, scopes: Collection[Scope], now: dt.datetime, stores: Collection[str] | None = None
) -> str:
    """Make a token and return its text, which is not stored.

    Parameters
    ----------
    stores
        The stores that it opens; None for every store.

    Raises
    ------
    DataError
        When a token of this name exists, or the name has other characters.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"expected a name of letters, digits, dots and dashes, found {name!r}; no token was made: choose another"
        )
    text = _PREFIX + secrets.token_urlsafe(_BYTES)
    with held(settings.locks, _LOCK):
        tokens = known_tokens(settings)
        if any(token.name == name for token in tokens):
            raise DataError(
                f"expected the name of a new token, found {name}, which there is; no token was made: remove it first "
                f"with `shelfprice token remove {name}`, or choose another"
            )
        chosen = tuple(scope for scope in SCOPES if scope in scopes)
        new = Token(name, _hashed(text), chosen, now, tuple(sorted(set(stores))) if stores else None)
        _write(tokens_file(settings), sorted((*tokens, new), key=lambda token: token.name))
    return text


def remove_token(settings: Settings, name: str) -> None:
    """Remove a token; the API refuses it from its next request on.

    Raises
    ------
    DataError
        When no token has this name.
    """
    with held(settings.locks, _LOCK):
        tokens = known_tokens(settings)
        kept = [token for token in tokens if token.name != name]
        if len(kept) == len(tokens):
            names = ", ".join(token.name for token in tokens) or "none"
            raise DataError(
                f"expected the name of a token, of which there are {names}, found {name!r}; none was removed"
            )
        _write(tokens_file(settings), kept)


class TokenBook:
    """Looks up tokens; reads their file again when it has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stamp: tuple[int, ...] | None = None
        self._tokens: tuple[Token, ...] = ()

    def find(self, text: str) -> Token | None:
        """Return the token with this text, or None.

        Raises
        ------
        ServiceError
            When the file cannot be read.
        """
        stamp = _stamp_of(tokens_file(self._settings))
        if stamp != self._stamp:
            self._tokens, self._stamp = known_tokens(self._settings), stamp
        given = _hashed(text)
        matching = [token for token in self._tokens if hmac.compare_digest(token.sha256, given)]
        return matching[0] if matching else None


def _stamp_of(file: Path) -> tuple[int, ...]:
    """Return what changes when another file takes its place, even within one tick of the file system's clock."""
    try:
        stat = file.stat()
    except FileNotFoundError:
        return ()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(file: Path, tokens: Iterable[Token]) -> None:
    """Write the file atomically; nobody else can read it at any moment."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(_FILE.dump_json(tuple(tokens), indent=1) + b"\n")
        handle.flush()
        os.fsync(descriptor)
    draft.replace(file)
    sync_folder(file.parent)
