"""What was imported for the tests is set aside, and garbage is looked for among the rest."""

import gc
import weakref


class Knot:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_imported_is_set_aside_and_what_tests_make_is_collected() -> None:
    assert gc.get_freeze_count() > 50_000
    assert gc.isenabled()
    knot = weakref.ref(Knot())
    gc.collect()
    assert knot() is None
