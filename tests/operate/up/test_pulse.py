"""A process that listens nowhere is alive while it holds its lock and touches it."""

import os
import time
from pathlib import Path

from catalog.past_one_machine import LockPlace
from operate.up.pulse import give_sign, is_alive
from warehouse.locks import held


def test_it_is_alive_while_it_holds_its_lock_and_gave_a_sign_of_late(tmp_path: Path) -> None:
    locks = LockPlace(tmp_path)
    assert not is_alive(locks, "worker")
    with held(locks, "worker"):
        assert is_alive(locks, "worker")
        hung_since = time.time() - 60
        os.utime(tmp_path / "worker.lock", (hung_since, hung_since))
        assert not is_alive(locks, "worker")
        give_sign(locks, "worker")
        assert is_alive(locks, "worker")
    assert not is_alive(locks, "worker")
