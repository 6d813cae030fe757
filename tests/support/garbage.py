"""Look for garbage among what tests make, never among what was imported for them: that stays until the end.

Some four hundred files of tests and their libraries are millions of objects. While they are collected, Python would go
through all of them again and again, and then at every thorough look that falls into a test.
"""

import gc
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[object]:
    """Look for nothing while tests are collected, and set aside what there is then."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
