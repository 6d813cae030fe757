"""Object stores that cannot be relied on, or that are not there: one line within ten seconds, and no secret in it."""

import builtins
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from liar import lying_server
from obstore.exceptions import GenericError

from catalog.errors import LakeError, SettingError
from catalog.settings import Settings, read_settings
from plugins.operations.delta.objects import Content, Objects, refuse_careless
from plugins.operations.delta.open import open_delta
from plugins.operations.delta.store import DeltaStore
from plugins.operations.deploy.servers.seaweed import Seaweed

KEY, SECRET = "shelfprice", "only-for-tests-on-loopback"


def settings_at(home: Path, endpoint: str, **others: str) -> Settings:
    return read_settings(
        {
            "SHELFPRICE_HOME": str(home),
            "SHELFPRICE_LAKE": "s3://lake/some",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            **others,
        }
    )


def refusal_of(settings: Settings) -> str:
    """Prepare a lake, and return the one line with which it is refused, in time."""
    begun = time.monotonic()
    with pytest.raises(LakeError) as refused:
        DeltaStore(settings).prepare()
    assert time.monotonic() - begun < 10
    said = str(refused.value)
    assert "\n" not in said
    assert SECRET not in said
    return said


def test_a_server_that_ignores_conditions_is_refused(tmp_path: Path) -> None:
    with lying_server() as endpoint:
        said = refusal_of(settings_at(tmp_path, endpoint))
    assert "s3://lake/some: expected an object store that keeps its word on conditional writes" in said
    assert "it created one object twice" in said


class _Replacing(Objects):
    """Creates under a condition, and replaces without one."""

    def replace(self, name: str, content: Content, version: str) -> bool:  # noqa: ARG002 - it ignores it
        self.write(name, content)
        return True


def test_a_server_that_keeps_half_of_its_word_is_refused(bucket_settings: Settings) -> None:
    objects = DeltaStore(bucket_settings).objects
    objects.__class__ = _Replacing
    with pytest.raises(LakeError, match="it replaced an object whose ETag was another one"):
        refuse_careless(objects)
    assert list(objects.under("probes")) == []


def test_a_server_that_is_not_there_is_told_in_time(tmp_path: Path) -> None:
    said = refusal_of(settings_at(tmp_path, "http://127.0.0.1:9"))
    assert "s3://lake/some" in said
    assert "http://127.0.0.1:9" in said


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(64)
        yield f"http://127.0.0.1:{one.getsockname()[1]}"


def test_a_server_that_hangs_is_told_in_time(tmp_path: Path, silent: str) -> None:
    assert silent in refusal_of(settings_at(tmp_path, silent))


def test_a_log_at_a_server_that_hangs_is_told_in_time(tmp_path: Path, silent: str) -> None:
    begun = time.monotonic()
    with pytest.raises(LakeError, match=silent):
        DeltaStore(settings_at(tmp_path, silent)).tables["demand_cells"].look()
    assert time.monotonic() - begun < 10


def test_a_log_at_a_server_that_is_not_there_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(
        LakeError, match=r"it does not answer as it should \(Connection refused .os error 111.\): start"
    ):
        DeltaStore(settings_at(tmp_path, "http://127.0.0.1:9")).tables["demand_cells"].look()


def test_a_wrong_password_is_told_without_it(object_store: Seaweed, tmp_path: Path) -> None:
    said = refusal_of(settings_at(tmp_path, object_store.address.url, AWS_ACCESS_KEY_ID=object_store.key))
    assert "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("400 Bad Request: <Error><Code>ExpiredToken</Code></Error>", "our key has expired: check AWS_ACCESS_KEY_ID"),
        ("403 Forbidden: <Error><Code>RequestTimeTooSkewed</Code></Error>", "its clock and this machine's are too far"),
        ("403 Forbidden: <Error><Code>InvalidAccessKeyId</Code></Error>", "it refuses our key or what we asked for"),
        ("503 Service Unavailable: <Error><Code>SlowDown</Code></Error>", "it does not answer as it should"),
    ],
)
def test_why_a_store_refuses_is_what_it_said_and_not_the_name_of_an_object(
    tmp_path: Path, answer: str, why: str
) -> None:
    """The name of the object holds 403: names hold digits of a hash."""
    error = GenericError(f"Error performing GET http://h/lake/part-g4.a1403f.parquet: Server returned {answer}")
    said = str(DeltaStore(settings_at(tmp_path, "http://127.0.0.1:9")).objects.refused(error))
    assert f"s3://lake/some: expected an object store at http://127.0.0.1:9; {why}" in said
    assert ("AWS_SECRET_ACCESS_KEY" in said) == ("key" in why)


def test_another_machine_is_spoken_to_with_tls_alone(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="expected https:// off loopback"):
        DeltaStore(settings_at(tmp_path, "http://store.example:8333"))
    DeltaStore(settings_at(tmp_path, "http://store.example:8333", AWS_ALLOW_HTTP="true"))


def test_without_the_packages_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        one for one in sys.modules if one.partition(".")[0] == "obstore" or one.startswith("plugins.operations.delta")
    ]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *others: object, **more: object) -> object:
        if name.partition(".")[0] == "obstore":
            raise ModuleNotFoundError("No module named 'obstore'", name="obstore")
        return real(name, *others, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LakeError, match=r"found no obstore; run `make install-cluster`"):
        open_delta(settings_at(tmp_path, "http://127.0.0.1:9"))
