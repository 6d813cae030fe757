"""The progress callback of long work."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with a stage in words, the steps done, and the steps in all."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Listen to nothing."""
