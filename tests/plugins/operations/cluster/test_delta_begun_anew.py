"""A lake that was removed and made anew is seen as it is by processes that knew the one before."""

import pytest
from delta_parts import CELLS, DAY, published, staged
from deltalake import DeltaTable

from catalog.errors import Declined, LakeError
from catalog.settings import Settings
from plugins.operations.delta import log as log_module
from plugins.operations.delta.address import log_options
from plugins.operations.delta.store import DeltaStore
from warehouse.commits.record import CommittedPart
from warehouse.partition import Partition

LIVE = Partition("live_interactions", DAY, "live-S001")
GROUPS = [Partition("demand_cells", DAY, f"g{number:03}") for number in range(10)]
LATE = Partition("demand_cells", DAY, "late")


def opened(settings: Settings) -> DeltaStore:
    store = DeltaStore(settings)
    store.tables["demand_cells"].ensure()
    return store


@pytest.fixture
def _another_is_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "_SAME_FOR", 0.0)


@pytest.mark.usefixtures("_another_is_noticed_at_once")
@pytest.mark.parametrize("count", [1, 3, 6], ids=["shorter", "as long", "longer"])
def test_who_knew_a_lake_that_was_reset_reads_and_writes_the_new_one(bucket_settings: Settings, count: int) -> None:
    """A Dask worker, or a monitor, goes on while somebody resets the lake and plays other batches."""
    store = opened(bucket_settings)
    for partition in (*GROUPS[:3], LIVE):
        published(store, partition)
    worker = DeltaStore(bucket_settings)
    assert list(worker.partitions("demand_cells")) == GROUPS[:3]
    store.clear()
    assert list(worker.partitions("demand_cells")) == []
    again = opened(bucket_settings)
    wanted = GROUPS[4 : 4 + count]
    for partition in wanted:
        published(again, partition)
    assert list(worker.partitions("demand_cells")) == wanted
    assert not worker.holds(LIVE)
    published(worker, LATE)
    assert list(DeltaStore(bucket_settings).partitions("demand_cells")) == [*wanted, LATE]
    assert list(again.partitions("demand_cells")) == [*wanted, LATE]
    delta = DeltaTable(again.objects.address.of("demand_cells"), storage_options=log_options(bucket_settings))
    assert delta.version() == count + 1


@pytest.mark.usefixtures("_another_is_noticed_at_once")
def test_what_was_made_from_a_lake_that_was_reset_is_declined(bucket_settings: Settings) -> None:
    store = opened(bucket_settings)
    first = published(store, CELLS)
    worker = DeltaStore(bucket_settings)
    part = CommittedPart(CELLS, staged(worker, CELLS, 11), first.fingerprint)
    store.clear()
    with pytest.raises((Declined, LakeError)):
        worker.put_in_force([part])
    again = opened(bucket_settings)
    with pytest.raises(Declined, match="another has published it meanwhile"):
        worker.put_in_force([part])
    assert not again.holds(CELLS)
