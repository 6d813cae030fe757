"""Notes of a lake prove themselves: no bit of one flips unseen, and what it said is not acted on."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.errors import LakeError
from catalog.settings import Settings
from plugins.operations.checks.check_up import check_origin
from plugins.operations.checks.proving import set_aside, verify
from warehouse.commits.notes import PROVEN, UNSENT_ALERTS, left_unended, read_sealed, write_down, write_sealed
from warehouse.lake import Lake
from warehouse.origin import claim, origin_of
from warehouse.workspace import Workspace

DATE = dt.date(2026, 1, 5)
BITS = (0, 2, 5, 7)
NOTES = (
    *("exports/0123456789abcdef.json", "asked/nightly.json", "keys/champions.json"),
    *("origin.json", UNSENT_ALERTS, PROVEN),
)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """Return a lake with one note of each kind."""
    lake = Lake(settings)
    lake.prepare()
    write_sealed(lake.notes, NOTES[0], {"to": "labels", "through": {"S01": 14, "S02": 7}})
    write_down(lake.notes, "nightly", DATE)
    claim(lake.store, "twin")
    write_sealed(lake.notes, PROVEN, {"definition": "d", "dates": {"2026-01-05": [1, 2]}})
    write_sealed(lake.notes, NOTES[2], {"made_by": "1 ('change',)", "keys": "000001 2026-01-05T00:00:00 7"})
    write_sealed(lake.notes, UNSENT_ALERTS, {"alerts": [{"kind": "drift", "subject": "MILK"}]})
    write_sealed(lake.notes, PROVEN, {"proven": "2026-01-05 0123456789abcdef"})
    return lake


def flipped(content: bytes) -> Iterator[bytes]:
    """Yield a text with one bit of one byte flipped: every byte, several bits of each."""
    for place in range(len(content)):
        for bit in BITS:
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            yield bytes(damaged)


@pytest.mark.parametrize("name", NOTES)
def test_no_flipped_bit_of_a_note_goes_unseen(lake: Lake, name: str) -> None:
    path = lake.root / name
    content = path.read_bytes()
    for damaged in flipped(content):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"."):
            read_sealed(lake.notes, name)
    assert [finding.name for finding in verify(lake).findings] == [name]
    path.write_bytes(content)
    assert verify(lake).findings == ()


@pytest.mark.parametrize("name", NOTES)
def test_a_note_without_a_seal_is_named_and_set_aside(lake: Lake, name: str) -> None:
    (lake.root / name).write_text('{"holds": "retailer", "through": {"S01": 99}}', encoding="utf-8")
    (finding,) = verify(lake).findings
    assert finding.name == name
    assert finding.kind == "damaged"
    assert "no seal" in finding.message
    set_aside(lake, verify(lake))
    assert verify(lake).findings == ()
    assert name == PROVEN or not (lake.root / name).exists()  # a verify notes anew what it has proven


def test_what_a_flipped_bit_says_is_not_acted_on(lake: Lake) -> None:
    for name in NOTES:
        path = lake.root / name
        path.write_bytes(path.read_bytes().replace(b"2026", b"2027").replace(b"twin", b"twim"))
    assert left_unended(lake.notes, "nightly") is None
    with pytest.raises(LakeError, match=f"{lake.root / 'origin.json'}.*with its seal.*remove this file"):
        origin_of(lake.store)


def test_a_health_check_names_an_origin_that_proves_nothing(lake: Lake, tmp_path: Path) -> None:
    path = lake.root / "origin.json"
    path.write_bytes(path.read_bytes().replace(b"twin", b"twix"))
    from catalog.load import CLASSIC, load

    (found,) = check_origin(Workspace(lake.settings, load(CLASSIC), lake))
    assert (found.state, found.remedy) == ("failed", "shelfprice doctor --fix")
    assert str(path) in found.found
