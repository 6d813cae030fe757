"""Who is refused because of another process reads what that one is doing."""

from pathlib import Path

import pytest

from catalog.errors import Declined
from catalog.past_one_machine import LockPlace
from warehouse.locks import held


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("batch-2026-01-05-g000", "the decisions of 2026-01-05, batch g000, are being written by process"),
        ("play-2026-01-05-g000", "the decisions of 2026-01-05, batch g000, are being played by process"),
        ("file-2026-01-05-export-1", "the rows of an ingested file of 2026-01-05 are being written by process"),
        ("night", "a night, or a backfill, of this lake is being done by process"),
        ("night-2026-01-05", "the night after 2026-01-05 is being written by process"),
        ("training-v3", "the training of model version 3 is being written by process"),
        ("prices-2026-01-07", "the price book for 2026-01-07 is being written by process"),
        ("live-S01", "store S01 is being sold live by process"),
        ("promotion", "the champion is being changed or asked for prices by process"),
        ("products-all", "products-all is being written by process"),
    ],
)
def test_a_refusal_says_in_words_what_the_other_process_is_doing(tmp_path: Path, lock: str, said: str) -> None:
    place = LockPlace(tmp_path)
    with held(place, lock), pytest.raises(Declined, match=f"^{said} .*nothing was changed"), held(place, lock):
        pass
