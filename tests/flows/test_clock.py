"""The clock of a rehearsal: set by whoever starts the process, and by nobody else."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from asgi_client import AsgiClient
from selling_store import OUTSIDE, SellingStore, line

from catalog.errors import Declined
from flows.workspace import now_of
from plugins.connect.api.api_tokens import add_token
from plugins.connect.api.app import application
from warehouse.workspace import Workspace

NIGHT = dt.datetime(2026, 1, 20, 3, tzinfo=dt.UTC)
REHEARSED = f"{OUTSIDE}rehearsal: true\n"


def workspace_at(store: SellingStore, said: str) -> Workspace:
    return replace(store.workspace, settings=store.settings.model_copy(update={"now": said}))


def test_a_rehearsal_has_the_time_that_was_set_and_a_file_is_read_each_time(tmp_path: Path) -> None:
    store = SellingStore(tmp_path, REHEARSED)
    assert now_of(workspace_at(store, "2026-01-20T04:00:00+01:00")) == NIGHT
    file = tmp_path / "now"
    for moment in (NIGHT, NIGHT + dt.timedelta(days=1)):
        file.write_text(f"{moment.isoformat()}\n", encoding="utf-8")
        assert now_of(workspace_at(store, str(file))) == moment
    assert abs(now_of(store.workspace) - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_a_real_store_never_has_another_clock_than_this_machines(tmp_path: Path) -> None:
    store = SellingStore(tmp_path)
    with pytest.raises(Declined, match=r"expected none where store\.yaml does not say `rehearsal: true`"):
        now_of(workspace_at(store, NIGHT.isoformat()))


@pytest.mark.parametrize("said", ["yesterday", "2026-01-20T03:00:00"])
def test_what_is_no_moment_is_named_and_nothing_is_done(tmp_path: Path, said: str) -> None:
    with pytest.raises(Declined, match=f"found {said} .*nothing was done"):
        now_of(workspace_at(SellingStore(tmp_path, REHEARSED), said))


def test_no_request_turns_the_clock_whatever_it_says(tmp_path: Path) -> None:
    store, file = SellingStore(tmp_path, REHEARSED), tmp_path / "now"
    file.write_text(NIGHT.isoformat(), encoding="utf-8")
    settings = store.settings.model_copy(update={"now": str(file)})
    token = add_token(settings, "till", ["sell", "acknowledge", "propose", "approve"], NIGHT)
    later = (NIGHT + dt.timedelta(days=2)).isoformat()
    said = {"Authorization": f"Bearer {token}", "Date": later, "SHELFPRICE_NOW": later}
    with AsgiClient(application(settings, store.folder)) as client:
        for path in ("/v1/sales", f"/v1/sales?now={NIGHT.date()}", "/v1/sales?SHELFPRICE_NOW=2026-01-22T00:00:00Z"):
            (refused,) = client.post(path, json=[line(sold_at=later)], headers=said).json()["refused"]
            assert refused["reason"] == "in_the_future"
        file.write_text(later, encoding="utf-8")
        answer = client.post("/v1/sales", json=[line(sold_at=later)], headers=said)
    assert answer.json() == {"taken": 1, "known": 0, "refused": []}
