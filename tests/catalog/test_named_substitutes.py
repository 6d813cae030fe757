"""Substitutes that a catalog names: said of one, true of both, and refused where they cannot be."""

from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.load import DEFAULT_DIR, load

WORLD = DEFAULT_DIR / "worlds" / "substitutes"


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("products", "[OAT, SOY]", "[OAT, MILK]", ["products[0].substitutes_with", "'MILK'", "itself"]),
        ("products", "[OAT, SOY]", "[OAT, RICE]", ["products[0].substitutes_with", "'RICE'", "not on the shelf"]),
        ("products", "[SOY]", "[BREAD]", ["products[1].substitutes_with", "'BREAD'", "'bakery'", "'dairy'"]),
        ("products", "[SOY]", "7", ["products[1].substitutes_with", "7"]),
        ("store", "strength: 1.0", "strength: -1.0", ["substitution.strength", "-1.0"]),
        ("store", "noise: 0.25", "noise: 0.0", ["substitution.noise", "0.0"]),
        ("store", "noise: 0.25", "nose: 0.25", ["substitution.nose", "0.25"]),
    ],
)
def test_a_substitute_that_cannot_be_is_refused_with_file_field_and_value(
    tmp_path: Path, file: str, old: str, new: str, named: list[str]
) -> None:
    for name in ("products.yaml", "store.yaml"):
        text = (WORLD / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(old, new) if name.startswith(file) else text, encoding="utf-8")
    with pytest.raises(CatalogError) as refusal:
        load(tmp_path)
    assert [part for part in (f"{file}.yaml", *named) if part not in str(refusal.value)] == []


def test_what_is_said_of_one_holds_for_both() -> None:
    catalog = load(WORLD)
    found = {
        (one, other)
        for place, one in enumerate(catalog.skus)
        for at, other in enumerate(catalog.skus)
        if catalog.substitutes[place, at]
    }
    milks = {"MILK", "OAT", "SOY"}
    assert found == {(one, other) for one in milks for other in milks if one != other}
