"""What is copied is what would be made: the first files of a lake byte for byte, the views for the same products."""

from pathlib import Path

from quick_lakes import first_files

from catalog.settings import Settings, read_settings
from warehouse.lake import Lake


def test_a_lake_whose_first_files_were_copied_is_that_which_publishing_makes(settings: Settings) -> None:
    lake = Lake(settings)
    lake.prepare()
    assert files_under(lake.root) == first_files()


def test_a_lake_that_holds_something_is_left_to_publishing(tmp_path: Path) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    lake.root.mkdir()
    lake.prepare()
    assert files_under(lake.root) == first_files()


def files_under(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
