"""Answers are sent compressed to browsers that take them so: the first visit and each update cost a fraction.

What never changes under its address, the browser part of Dash with a version in its name, is compressed once. No answer
holds a secret that a stranger could guess at by its length: pages of other sites are refused before they reach this.
"""

import gzip

from flask import Flask, Response, request

from dashboard.cache import Cache

_TEXTS = ("text/", "application/json", "application/javascript", "image/svg+xml")
_LEAST_BYTES = 600  # a smaller answer fits into one packet anyway
_LEVEL, _LEVEL_ONCE = 4, 9
_MOST_FILES = 128


def compress_answers(server: Flask) -> None:
    """Compress what a server answers, where the browser takes gzip and it is text that is long enough."""
    files = Cache[bytes](_MOST_FILES)

    @server.after_request
    def compress(response: Response) -> Response:
        if not _is_compressible(response):
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) < _LEAST_BYTES:
            return response
        is_fixed = "immutable" in response.headers.get("Cache-Control", "") or _is_a_versioned_file()
        if is_fixed:
            packed = files.get((request.path, len(body)), lambda: gzip.compress(body, _LEVEL_ONCE, mtime=0))
        else:
            packed = gzip.compress(body, _LEVEL, mtime=0)
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(packed))
        response.vary.add("Accept-Encoding")
        if response.headers.get("ETag"):
            response.headers["ETag"] = f"W/{response.headers['ETag'].removeprefix('W/')}"
        return response


def _is_compressible(response: Response) -> bool:
    kind = response.mimetype or ""
    return (
        request.method != "HEAD"
        and response.status_code == 200  # noqa: PLR2004 - a part of a file stays as it is
        and request.accept_encodings["gzip"] > 0
        and "Content-Encoding" not in response.headers
        and kind.startswith(_TEXTS)
    )


def _is_a_versioned_file() -> bool:
    """Tell whether the address names a file of Dash with its version, which stands for its content."""
    name = request.path.rpartition("/")[2]
    return request.path.startswith("/_dash-component-suites/") and ".v" in name
