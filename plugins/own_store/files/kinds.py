"""What kind of file an export is, by its bytes: names lie, and people send what they have.

A CSV, Parquet and workbooks are read. Anything else is refused with what it is and what to do about it.
"""

import gzip
import re
import zipfile
import zlib
from codecs import BOM_UTF8
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from catalog.errors import DataError
from plugins.own_store.files.block import shown

_HEAD = 4096
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BINARY = (
    (0, b"SQLite format 3\0", "an SQLite database", "export its table as CSV"),
    (8, b"DUCK", "a DuckDB database", "export its table as CSV or Parquet"),
    (0, b"%PDF", "a PDF", "ask for the export as CSV or Excel"),
    (0, b"ARROW1", "an Arrow or Feather file", "write it as Parquet"),
    (0, b"ORC", "an ORC file", "write it as Parquet"),
    (0, b"Obj\x01", "an Avro file", "write it as Parquet"),
    (0, b"PARE", "an encrypted Parquet file", "write it without encryption"),
    (0, b"BZh", "compressed with bzip2", "decompress it with bunzip2, or compress it with gzip"),
    (0, b"\xfd7zXZ\0", "compressed with xz", "decompress it with unxz, or compress it with gzip"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd", "decompress it with unzstd, or compress it with gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "extract it and name the file in it"),
    (0, b"Rar!", "a RAR archive", "extract it and name the file in it"),
    (257, b"ustar", "a tar archive", "extract it and name the file in it"),
    (0, b"$FL", "an SPSS file", "export it as CSV or Parquet"),
    (0, b"<stata_dta>", "a Stata file", "export it as CSV or Parquet"),
    (0, b"\x89HDF", "an HDF5 file", "export it as CSV or Parquet"),
    (0, b"\x89PNG", "a picture", "ask for the export as CSV or Excel"),
    (0, b"\xff\xd8\xff", "a picture", "ask for the export as CSV or Excel"),
    (0, b"\x80\x04\x95", "a Python pickle, which is never loaded", "write it as Parquet"),
    (0, b"\x80\x05\x95", "a Python pickle, which is never loaded", "write it as Parquet"),
)
"""Where some bytes stand, what they mean, and what to do."""
_TEXTS = (
    (re.compile(rb"<(!doctype html|html|head|body|table|meta|script)", re.IGNORECASE), "a web page, not the export",
     "a login or an error page is often saved in its place; download the export again, as CSV or .xlsx"),
    (re.compile(rb"<\?xml|<!--|<[a-z][\w:.-]*(\s+[\w:.-]+\s*=|>\s*<)", re.IGNORECASE), "XML",
     "ask for the export as CSV or .xlsx"),
    (re.compile(rb'\{\s*("|\}|\r?\n)|\[\s*[\[{"\]0-9-]'), "JSON", "write it as CSV or Parquet"),
    (re.compile(rb"version https://git-lfs"), "a pointer of Git LFS, not the export", "run git lfs pull"),
    (re.compile(rb"\{\\rtf"), "an RTF document", "ask for the export as CSV or Excel"),
)  # fmt: skip


class ExportKind(Enum):
    """How a file is read."""

    TEXT = "CSV"
    PARQUET = "Parquet"
    WORKBOOK = "a workbook"
    JSON_LINES = "JSON lines"


def kind_of(path: Path, where: str, json_lines: Sequence[str] = ()) -> ExportKind:
    """Return how a file is read.

    Parameters
    ----------
    json_lines
        Ends of names of files that hold JSON lines, where these are read; text that begins with an object is then one.

    Raises
    ------
    DataError
        When it is of a kind that is not read; the message says what it is and what to do.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PAR1"):
        return ExportKind.PARQUET
    if head.startswith(_OLE2) or (head.startswith(_ZIP) and _is_workbook(path, where)):
        return ExportKind.WORKBOOK
    is_packed = head.startswith(_GZIP)
    text = _unpacked(path) if is_packed else head
    name = path.name.lower().removesuffix(".gz")
    if json_lines and (name.endswith(tuple(json_lines)) or text.removeprefix(BOM_UTF8).lstrip().startswith(b"{")):
        return ExportKind.JSON_LINES
    _refuse_known(text, where, "is compressed and holds" if is_packed else "is")
    if is_packed and text.startswith((b"PAR1", _GZIP, _OLE2, *_ZIP)):
        raise DataError(
            f"{where}: expected a compressed CSV, found another compressed file, Parquet or a workbook inside; nothing "
            "was read: decompress it with gunzip and name the result"
        )
    return ExportKind.PARQUET if name.endswith((".parquet", ".pq")) and not is_packed else ExportKind.TEXT


def _refuse_known(head: bytes, where: str, verb: str) -> None:
    found = next(((what, todo) for at, mark, what, todo in _BINARY if head[at:].startswith(mark)), None)
    if found is None:
        text = head.removeprefix(BOM_UTF8).lstrip()
        found = next(((what, todo) for pattern, what, todo in _TEXTS if pattern.match(text)), None)
    if found is not None:
        what, todo = found
        raise DataError(
            f"{where}: expected CSV, CSV.gz, Parquet or .xlsx; the file {verb} {what}; nothing was read: {todo}"
        )


def _unpacked(path: Path) -> bytes:
    """Return the beginning of what a compressed file holds; a damaged one is found when it is read."""
    try:
        with gzip.open(path, "rb") as file:
            return file.read(_HEAD)
    except (EOFError, OSError, zlib.error):
        return b""


def _is_workbook(path: Path, where: str) -> bool:
    """Tell a workbook from any other zip archive, which is refused."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(
            f"{where}: is a zip archive or a workbook (.xlsx), and damaged or cut short ({error}); nothing was read: "
            "download or export it again"
        ) from error
    if {"xl/workbook.xml", "xl/workbook.bin"} & set(names) or {"content.xml", "mimetype"} <= set(names):
        return True
    members = [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if not members:
        raise DataError(f"{where}: is a zip archive without a file; nothing was read: export it again")
    one = f"holds {shown(members[0])}" if len(members) == 1 else f"holds {len(members):,} files"
    such = "" if len(members) == 1 else f", such as {shown(members[0])}"
    raise DataError(
        f"{where}: is a zip archive that {one}{such}; nothing was read: unpack it with unzip and name the file in it"
    )
