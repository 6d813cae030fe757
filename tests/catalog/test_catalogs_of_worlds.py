"""Worlds that ship: each comes back from its JSON, and a spoiled one is refused."""

from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.load import DEFAULT_DIR, Catalog, load, restored

WORLDS = sorted(path for path in (DEFAULT_DIR / "worlds").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", WORLDS, ids=lambda folder: folder.name)
def test_every_world_comes_back_from_its_json_with_its_fingerprint(folder: Path) -> None:
    catalog = load(folder)
    again = restored(*catalog.as_json)
    assert again == catalog
    assert again.fingerprint == catalog.fingerprint


@pytest.mark.parametrize(
    ("world", "old", "new", "named"),
    [
        ("uneven_days", "[0.75, 0.8,", "[0.85, 0.8,", ["footfall.weekday_factors", "average 1.01", "expected 1"]),
        ("uneven_days", "[0.75, 0.8,", "[0.8,", ["footfall.weekday_factors", "found 6"]),
        ("uneven_days", "day_variation: 0.3", "day_variation: -0.3", ["footfall.day_variation", "-0.3"]),
        ("waiting_shoppers", "waiting_share: 0.1", "waiting_share: 10", ["waiting_share", "10"]),
        ("own_curves", "share: 0.6", "share: 0.5", ["products[2].personas", "add up to 0.9"]),
    ],
)
def test_a_spoiled_world_is_refused_naming_field_and_value(
    tmp_path: Path, world: str, old: str, new: str, named: list[str]
) -> None:
    for file in (DEFAULT_DIR / "worlds" / world).iterdir():
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogError) as refusal:
        load(tmp_path)
    assert [part for part in named if part not in str(refusal.value)] == []


def test_a_product_is_told_apart_by_its_shoppers() -> None:
    own = load(DEFAULT_DIR / "worlds" / "own_curves")
    plain = Catalog(tuple(one.model_copy(update={"personas": ()}) for one in own.products), own.store)
    assert own.fingerprint != plain.fingerprint
