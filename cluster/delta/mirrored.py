"""A Delta lake as the source of a mirror: its objects never change, so a moment stays readable while it is copied."""

from dataclasses import dataclass

from catalog.errors import DamagedError
from cluster.delta.naming import PartInForce, object_name
from cluster.delta.store import DeltaStore
from warehouse.partition import Partition
from warehouse.receipts import Receipt


@dataclass(frozen=True)
class DeltaSource:
    """See `cluster.mirror.source.MirrorSource`."""

    store: DeltaStore

    def moment(self) -> dict[Partition, str]:
        """Return what is in force at one moment, with every commit in it whole or not at all."""
        return {partition: standing.fingerprint for partition, standing in self.store.moment().items()}

    def fetch(self, partition: Partition, fingerprint: str) -> tuple[bytes, Receipt]:
        """Return the bytes that were in force at the moment, and their receipt.

        Raises
        ------
        DamagedError
            When one of both is missing or damaged, for nobody takes away what is in force.
        """
        name = object_name(partition, fingerprint)
        content = self.store.objects.read(name)
        receipt = self.store.receipt_of(partition, PartInForce(fingerprint, 0, 0, 0))
        if content is None or receipt is None:
            raise DamagedError(
                f"{self.store.objects.address.of(name)}: expected an object and its receipt, found one missing or "
                "damaged; the mirror is as it was, run `shelfprice verify`"
            )
        return content, receipt
