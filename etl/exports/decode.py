"""Turns the bytes of a CSV into whole records in UTF-8, block by block, each with the number of its first line."""

import codecs
from collections.abc import Iterator
from typing import IO

from catalog.errors import DataError

_CHUNK = 1 << 23
_LONGEST_RECORD = 1 << 23
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def decoded_chunks(stream: IO[bytes], encoding: str, where: str) -> Iterator[bytes]:
    """Yield a stream's text as UTF-8, without a byte order mark.

    Raises
    ------
    DataError
        When a byte does not belong to the encoding, with its line.
    """
    is_utf8 = codecs.lookup(encoding).name in {"utf-8", "utf-8-sig", "ascii"}
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8 else encoding)("strict")
    line, first = 1, True
    while True:
        raw = stream.read(_CHUNK)
        marked = next((name for mark, name in _BOMS.items() if first and raw.startswith(mark)), None)
        if marked and is_utf8:
            raise DataError(f"{where} line 1: it begins like {marked}; add --encoding {marked}, nothing was read")
        first = False
        try:
            text = decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            bad, at = (
                error.object[error.start : error.start + 1].hex(),
                line + error.object.count(b"\n", 0, error.start),
            )
            raise DataError(
                f"{where} line {at}: byte 0x{bad} is not {encoding}; "
                "say which encoding it is, such as --encoding cp1252; nothing was published"
            ) from error
        chunk = text.encode("utf-8")
        line += chunk.count(b"\n")
        if chunk:
            yield chunk
        if not raw:
            return


def records(chunks: Iterator[bytes], where: str) -> Iterator[tuple[int, bytes]]:
    """Cut text where records end: first the header alone, then blocks of whole records, each with its first line.

    Raises
    ------
    DataError
        When a record is longer than 8 MB: a line break is missing, or a quote never closes.
    """
    line, kept, is_header = 1, b"", True
    for chunk in chunks:
        kept += chunk
        while cut := _first_end(kept) if is_header else _last_end(kept):
            yield line, kept[:cut]
            line += kept.count(b"\n", 0, cut)
            kept, is_header = kept[cut:], False
        if len(kept) > _LONGEST_RECORD:
            raise DataError(
                f"{where} line {line}: expected a record of at most {_LONGEST_RECORD >> 20} MB, found a longer one: "
                "a line break is missing, or a quote opens and never closes; nothing was published"
            )
    if kept.strip():
        yield line, kept
    elif is_header:
        raise DataError(f"{where} line 1: expected a header, found nothing; nothing was read")


def _first_end(text: bytes) -> int:
    return text.find(b"\n") + 1


def _last_end(text: bytes) -> int:
    """Return where the last whole record ends; a line break between quotes does not end a record."""
    cut = text.rfind(b"\n") + 1
    quotes = text.count(b'"', 0, cut)
    while cut and quotes % 2:
        before = text.rfind(b"\n", 0, cut - 1) + 1
        quotes -= text.count(b'"', before, cut)
        cut = before
    return cut
