"""A catalog whose files may change while it is used."""

from pathlib import Path

from catalog.errors import CatalogError
from catalog.load import Catalog, folder_of, load


class WatchedCatalog:
    """The newest usable catalog of a folder; files that cannot be used change nothing.

    Attributes
    ----------
    problem
        Why the newest files cannot be used; None while they can.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Read the folder, by default the one that ships.

        Raises
        ------
        CatalogError
            When it cannot be used, since there is no earlier catalog.
        """
        self._folder = folder_of(folder)
        self._stamp = self._changed_at()
        self._catalog = load(self._folder)
        self.problem: str | None = None

    def current(self) -> Catalog:
        """Return the newest catalog that could be used."""
        stamp = self._changed_at()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._catalog, self.problem = load(self._folder), None
            except CatalogError as error:
                self.problem = str(error)
        return self._catalog

    def _changed_at(self) -> tuple[int, ...]:
        files = (self._folder / "products.yaml", self._folder / "store.yaml")
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)
