"""Texts are looked for among words, and read as codes, as they are looked for and read one by one."""

import datetime as dt

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from catalog.settings import Settings
from catalog.table import TEXT
from catalog.tables.operations import PRICE_CHANGES
from desk.price_changes.change import Event, Terms
from desk.price_changes.record import rows_of_events
from warehouse.lake import Lake, Partition
from warehouse.parquet import cells, positions, texts

NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
WORDS = ["milk", "bread", "eggs", ""]
TEXTS = st.lists(st.sampled_from([*WORDS, "salt", None]), max_size=8)


@given(pieces=st.lists(TEXTS, max_size=4), words=st.lists(st.sampled_from(WORDS), unique=True), as_codes=st.booleans())
def test_each_text_of_a_column_has_the_position_that_its_word_has_or_minus_one(
    pieces: list[list[str | None]], words: list[str], as_codes: bool
) -> None:
    column = pa.chunked_array(pieces, TEXT if as_codes else pa.string())
    expected = [words.index(own) if own in words else -1 for piece in pieces for own in piece]
    assert positions(column, words).tolist() == expected
    assert positions(column, texts(words)).tolist() == expected
    assert positions(column, texts(words)).dtype == np.int64


@given(st.lists(st.tuples(st.sampled_from([*WORDS, "salt"]), st.sampled_from([*WORDS, "salt"])), max_size=9))
def test_cells_number_the_places_of_a_grid_row_after_row_and_leave_out_what_is_not_in_it(
    rows: list[tuple[str, str]],
) -> None:
    stores, skus = ("milk", "eggs"), ("bread", "", "milk")
    store, sku = (pa.chunked_array([[row[at] for row in rows]], pa.string()) for at in range(2))
    found, own = cells(pa.table({"store_id": store, "sku": sku}), stores, skus)
    known = [at for at, row in enumerate(rows) if row[0] in stores and row[1] in skus]
    assert np.arange(len(rows))[own].tolist() == known
    assert found.tolist() == [stores.index(rows[at][0]) * 3 + skus.index(rows[at][1]) for at in known]


def test_texts_that_are_read_as_codes_are_those_of_the_contract(settings: Settings) -> None:
    lake, part = Lake(settings), Partition(PRICE_CHANGES.name, NOON.date(), "people-00000001")
    lake.prepare()
    terms = Terms("override", "MILK", None, None, 1.5, NOON, None, "for a test")
    rows = rows_of_events([Event(1, f"h1.{number}", "approved", NOON, NOON, "Ada", terms) for number in range(3)])
    lake.publish(part, rows, inputs="test")
    names = ("change", "event", "old_price", "sku", "store_id")
    coded = lake.read(part, names, coded=True)
    assert coded.to_pylist() == lake.read(part, names).to_pylist()
    assert [field.type == TEXT for field in coded.schema] == [True, True, False, True, True]
