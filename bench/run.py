"""Run sections one after another; one that cannot run or fails is a row of the table, and the others go on."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from bench.browser import NoBrowserError
from bench.measure import Measurement, NotMeasured, say
from catalog.errors import first_line

Section = Callable[[], Iterable[Measurement]]


def rows_of(sections: Mapping[str, Section]) -> Iterator[Measurement | NotMeasured]:
    """Yield every row as it comes."""
    for name, measure in sections.items():
        say(f"{name} ...")
        try:
            yield from measure()
        except NoBrowserError as missing:
            yield NotMeasured(name, first_line(missing), is_failure=False)
        except Exception as error:  # noqa: BLE001 - whatever failed, the other sections are measured
            yield NotMeasured(name, f"{type(error).__name__}: {first_line(error)}", is_failure=True)
