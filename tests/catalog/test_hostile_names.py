from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CatalogError
from catalog.load import load, read_mapping

HOSTILE = [
    "<script>alert(1)</script>",
    "'); drop table x; --",
    "../../x",
    "x" * 10_000,
    "🧀👩‍👩‍👧‍👦",
    "\u202eחלב",  # a right-to-left override and Hebrew
    "{{ 7 * 7 }} %s {0} $HOME",
    "NO",
    "12:30",
    "null",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_product_name_in_quotes_is_kept_literally(write_catalog: Callable[..., Path], name: str) -> None:
    quoted = yaml.safe_dump(name, default_style='"', allow_unicode=True, width=100_000).strip()
    folder = write_catalog({"products.yaml": ("name: Milk", f"name: {quoted}")})
    assert load(folder).product("MILK").name == name


def test_a_name_longer_than_ten_thousand_characters_is_refused(write_catalog: Callable[..., Path]) -> None:
    folder = write_catalog({"products.yaml": ("name: Milk", f"name: {'x' * 10_001}")})
    with pytest.raises(CatalogError, match=r"products\[0\]\.name"):
        load(folder)


@settings(deadline=None, max_examples=50)
@given(
    content=st.dictionaries(
        st.text("abcdefgh", min_size=2, max_size=6),
        st.one_of(st.text(max_size=20), st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), st.booleans()),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_is_written_plainly_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    path = tmp_path_factory.mktemp("yaml") / "any.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert read_mapping(path) == content
