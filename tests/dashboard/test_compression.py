"""Answers are compressed for browsers that take it, and are the same bytes for all others."""

import gzip

import pytest

from catalog.settings import Settings
from dashboard.app import create_app


@pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies", "/assets/style.css"])
def test_a_compressed_answer_is_smaller_and_says_the_same(path: str, settings: Settings) -> None:
    client = create_app(settings).server.test_client()
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    assert gzip.decompress(packed.data) == plain.data
    assert "default-src 'self'" in packed.headers["Content-Security-Policy"]


def test_a_part_of_a_file_and_a_picture_stay_as_they_are(settings: Settings) -> None:
    client = create_app(settings).server.test_client()
    part = client.get("/assets/style.css", headers={"Accept-Encoding": "gzip", "Range": "bytes=0-999"})
    assert part.status_code == 206
    assert "Content-Encoding" not in part.headers
    refused = client.get("/assets/style.css", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers


def test_a_file_that_a_browser_has_already_is_not_sent_again(settings: Settings) -> None:
    client = create_app(settings).server.test_client()
    first = client.get("/assets/style.css", headers={"Accept-Encoding": "gzip"})
    again = client.get("/assets/style.css", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_the_page_itself_is_compressed_too(settings: Settings) -> None:
    answer = create_app(settings).server.test_client().get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"_dash-config" in gzip.decompress(answer.data)
