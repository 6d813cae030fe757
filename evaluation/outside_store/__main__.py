"""`python -m evaluation.outside_store STORE`: stores that are not ours, and what prices earn in them."""

import argparse
import datetime as dt
import json
import sys

from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.store_names import GROCERS, STORES, TWIN
from evaluation.outside_store.stores.store_program import add_arguments, run_program, store_size

_SCORE, _EXAMINERS = "score", "examiners"
_POLICIES = (
    "evaluation.outside_store.stores.weekly_seller:owner_policy",
    "evaluation.outside_store.drawn_policy:drawn",
    "evaluation.peers.units_alone:THOMPSON",
    "evaluation.peers.units_alone:EXPECTED_PROFIT",
)


def main() -> None:
    """Run what is asked for; end with 0, with 1 and one line to stderr, or with 2 after wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.outside_store",
        description="Stores that are not ours. Each sells in a process of its own, gets prices and tells its sales "
        "over HTTP and files, and says what it earned beside what could have been earned under the same rules.",
    )
    commands = parser.add_subparsers(dest="store", metavar="STORE", required=True)
    for name, sentence in STORES.items():
        add_arguments(commands.add_parser(name, help=sentence, description=sentence), name)
    _add_score(commands.add_parser(_SCORE, help="play policies in a grocer, in this process, and score them"))
    _add_examiners(commands.add_parser(_EXAMINERS, help="play drawn prices in every store, and print one table"))
    asked = parser.parse_args()
    if asked.store == _SCORE:
        sys.exit(_score(asked))
    if asked.store == _EXAMINERS:
        sys.exit(_examine(asked))
    today, rehearsed = dt.datetime.now(dt.UTC).date(), getattr(asked, "rehearse", None)
    if rehearsed is None:
        sys.exit(run_program(asked, asked.store, today))
    from evaluation.outside_store.rehearsal import in_process, served  # noqa: PLC0415 - the stores know nothing of it

    sys.exit(run_program(asked, asked.store, today, in_process if asked.in_process else served))


def _add_score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--world", choices=tuple(GROCERS), default="grocer", help="%(default)s")
    parser.add_argument("--size", type=store_size, default=(10, 10.0), help="stores x units a day; 10x10")
    parser.add_argument("--local-shocks", action="store_true", help="each store has good and bad times of its own")
    parser.add_argument("--policy", action="append", metavar="MODULE:NAME", help="a weekly policy; repeatable")
    parser.add_argument("--seeds", type=int, default=12, help="worlds, 1 to so many; %(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_examiners(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=store_size, action="append", help="stores x units a day; 1x10 and 10x10")
    parser.add_argument("--store", dest="names", action="append", metavar="NAME", help="one of them; repeatable")
    parser.add_argument("--seeds", type=int, default=12, help="worlds, 1 to so many; %(default)s")
    parser.add_argument("--processes", type=int, default=2, help="%(default)s")


def _examine(asked: argparse.Namespace) -> int:
    from evaluation.outside_store.examiners import EXAMINERS, examine, table  # noqa: PLC0415 - they know the project

    sizes, seeds = asked.size or [(1, 10.0), (10, 10.0)], range(1, asked.seeds + 1)
    for number, name in enumerate(asked.names or EXAMINERS):
        for size in sizes[:1] if name == TWIN else sizes:
            header, rule, row = table([examine(name, size, seeds, asked.processes)])
            lines = [row] if number or size != sizes[0] else [header, rule, row]
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
    return 0


def _score(asked: argparse.Namespace) -> int:
    from catalog.errors import ShelfpriceError  # noqa: PLC0415 - the stores themselves know nothing of the project
    from evaluation.outside_store.policy_score import policy_named, score, table  # noqa: PLC0415

    n_stores, units = asked.size

    def world(seed: int) -> CountGrocer:
        return GROCERS[asked.world](seed, n_stores, units, has_local_shocks=asked.local_shocks)

    try:
        policies = {name: policy_named(name) for name in asked.policy or _POLICIES}
    except ShelfpriceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    seeds = range(1, asked.seeds + 1)
    scores = [score(name.partition(":")[2].lower(), policy, world, seeds) for name, policy in policies.items()]
    found = json.dumps([one.as_record() for one in scores]) if asked.json else "\n".join(table(scores))
    sys.stdout.write(f"{found}\n")
    return 0


if __name__ == "__main__":
    main()
