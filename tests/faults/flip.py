"""Flip one bit in a file that a command reads: it is named, and what is made beside it is as it would be without it.

A command may refuse, leave the damaged partition out, or give what it would have given: the bytes of a file are those
of an undisturbed run, those from before, or those of a run without the partition. Anything else was made from wrong
bytes in silence. `health --files` names every file of the lake that was flipped.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.commands import NEXT, START, Command
from tests.faults.compare import State
from tests.faults.trial import Bench, Trial
from tests.faults.zygote import DECLINED

_MOST_LINES = 3
_RECEIPT = ".receipt.json"


@dataclass(frozen=True)
class FileKind:
    """A kind of file: the world and the pattern by which it is found, and the command that reads it."""

    name: str
    pattern: str
    reader: Command


_TRANSFORM = Command("transform", "sold")
_PRICE = Command("price", "champions", {"for_date": str(NEXT)})
_SELL = Command("simulate", "champions", {"start": str(NEXT)})
_ROLLBACK = Command("rollback", "champions")
_DAY, _NEXT = f"business_date={START}", f"business_date={NEXT}"

FILE_KINDS = {
    one.name: one
    for one in (
        FileKind("decisions", f"lake/interactions/{_DAY}/part-*.parquet", _TRANSFORM),
        FileKind("receipts of decisions", f"lake/receipts/interactions/{_DAY}/part-*{_RECEIPT}", _TRANSFORM),
        FileKind("cells", f"lake/demand_cells/{_DAY}/part-*.parquet", _PRICE),
        FileKind("receipts of cells", f"lake/receipts/demand_cells/{_DAY}/part-*{_RECEIPT}", _PRICE),
        FileKind("books", f"lake/booked_prices/{_NEXT}/part-*.parquet", _SELL),
        FileKind("receipts of books", f"lake/receipts/booked_prices/{_NEXT}/part-*{_RECEIPT}", _SELL),
        FileKind("demand curves", f"lake/demand_curves/{_NEXT}/part-*.parquet", _SELL),
        FileKind("champions", "lake/champions/part-0*.parquet", _ROLLBACK),
        FileKind("origin.json", "lake/origin.json", _SELL),
        FileKind("commit records", "lake/commits/**/*", _SELL),
        FileKind("models", "mlflow/artifacts/**/*.skops", _PRICE),
        FileKind("descriptions of models", "mlflow/artifacts/**/MLmodel", _PRICE),
    )
}
"""What is flipped, by name."""


def flips_of(bench: Bench, kind: FileKind, number: int, seed: int) -> list[int]:
    """Draw the bits to flip of a kind; none where the world has no such file."""
    home = bench.worlds.copy(kind.reader.world)
    size = sum(file.stat().st_size for file in _files(home, kind))
    bench.worlds.forget(home)
    rng = random.Random(f"{seed} {kind.name}")
    return sorted(rng.randrange(8 * size) for _ in range(number if size else 0))


def flip(bench: Bench, kind: FileKind, bit: int) -> Trial:
    """Flip a bit, counted through all files of a kind, and let the command read them."""
    command = kind.reader
    undisturbed = bench.expected(command).once
    home = bench.worlds.copy(command.world)
    try:
        before, _ = bench.look(command.world, home)
        file = _flip_in(home, kind, bit)
        name = _data_name(home, file)
        _, findings = bench.look(command.world, home)
        is_named = any(name in one for one in findings)
        ended = bench.run(command, home)
        end, _ = bench.look(command.world, home)
        changed = list(_made_otherwise(end, [undisturbed, before], name))
        if changed:
            changed = list(_made_otherwise(end, [undisturbed, before, _without(bench, kind, name)], name))
        failures = [f"{one}: other bytes, and nobody said why" for one in changed[:_MOST_LINES]]
        if kind.pattern.startswith("lake/") and not is_named and (changed or not _is_refused(ended)):
            failures.append(f"verify did not name {name}")
        if ended.code not in {0, 1, DECLINED}:
            failures.append(f"{command.name} ended with {ended.code}: {ended.last_words}")
        where = f"bit {bit}, in {file.relative_to(home)}"
        return Trial(command.name, f"flip in {kind.name}", where, tuple(failures), _repeat(kind, bit))
    finally:
        bench.worlds.forget(home)


def mend(bench: Bench, bit: int) -> Trial:
    """Flip a bit in decisions, set them aside, play and transform again: the lake is as if nothing had been."""
    kind, world = FILE_KINDS["decisions"], "sold"
    undisturbed = bench.expected(_TRANSFORM).once
    home = bench.worlds.copy(world)
    try:
        file = _flip_in(home, kind, bit)
        failures = []
        for step, options in (("set_aside", {}), ("simulate", {"days": 3, "policy": "static"}), ("transform", {})):
            ended = bench.worlds.run(world, step, home, options)
            if ended.code:
                failures.append(f"{step} ended with {ended.code}: {ended.last_words}")
        end, findings = bench.look(world, home)
        failures += [f"in the end, verify finds {one}" for one in findings]
        failures += [f"{one}: not as undisturbed" for one in _made_otherwise(end, [undisturbed], "?")][:_MOST_LINES]
        where = f"bit {bit}, in {file.relative_to(home)}"
        return Trial("verify", "flip, set aside, made again", where, tuple(failures), f"--only mend --at {bit}")
    finally:
        bench.worlds.forget(home)


def _files(home: Path, kind: FileKind) -> list[Path]:
    found = sorted(path for path in home.glob(kind.pattern) if path.is_file() and "part-empty" not in path.name)
    if kind.pattern.startswith("mlflow/"):
        models = _registered_models(home)
        found = [path for path in found if models & set(path.parts)]
    return [path for path in found if not path.name.endswith(_RECEIPT) or kind.pattern.endswith(_RECEIPT)]


def _registered_models(home: Path) -> set[str]:
    """Return the folders of the models that are versions; other candidates were logged, too, and nobody reads them."""
    with closing(sqlite3.connect(home / "mlflow" / "mlflow.db")) as database:
        return {str(source).rpartition("/")[2] for (source,) in database.execute("select source from model_versions")}


def _flip_in(home: Path, kind: FileKind, bit: int) -> Path:
    left = bit
    for file in _files(home, kind):
        content = bytearray(file.read_bytes())
        if left < 8 * len(content):
            content[left // 8] ^= 1 << left % 8
            file.write_bytes(content)
            return file
        left -= 8 * len(content)
    raise IndexError(f"{kind.name}: bit {bit} is beyond the end")


def _data_name(home: Path, file: Path) -> str:
    name = str(file.relative_to(home)).replace("lake/receipts/", "lake/")
    return name.removesuffix(_RECEIPT).removesuffix(".parquet")


def _without(bench: Bench, kind: FileKind, name: str) -> State:
    """Return how the command ends where the partition is not there at all."""
    home = bench.worlds.copy(kind.reader.world)
    for one in (f"{name}.parquet", f"{name.replace('lake/', 'lake/receipts/', 1)}{_RECEIPT}", name):
        (home / one).unlink(missing_ok=True)
    bench.run(kind.reader, home)
    state, _ = bench.look(kind.reader.world, home)
    bench.worlds.forget(home)
    return state


def _is_refused(ended: Any) -> bool:
    return ended.code == 1 and ended.said.startswith("error: ")


def _made_otherwise(end: State, allowed: list[State], name: str) -> Iterator[str]:
    for file, found in end["files"].items():
        if not f"lake/{file}".startswith(name) and all(found != one["files"].get(file) for one in allowed):
            yield file


def _repeat(kind: FileKind, bit: int) -> str:
    return f"--only flip --command '{kind.name}' --at {bit}"
