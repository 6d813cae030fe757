"""`python -m tests.standing --states 10000` holds every place that says what a price is against a small model."""

import argparse
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))


def main() -> None:
    """Examine states, and print those in which answers differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.standing", description=__doc__)
    parser.add_argument("--states", type=int, default=300, help="how many states of a small chain are looked at")
    parser.add_argument("--seed", type=int, default=None, help="what the states are drawn from; by default another one")
    parser.add_argument("--most", type=int, default=20, help="stop after so many states in which answers differ")
    given = parser.parse_args()
    from tests.standing.examine import examine

    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    began, bad, done = time.monotonic(), 0, 0
    for done, found, notes in examine(seed, given.states):
        if found:
            bad += 1
            sys.stdout.write(json.dumps({"state": done, "found": found, "notes": notes}, indent=1) + "\n")
        if done % 100 == 0:
            sys.stderr.write(f"{done} of {given.states} states, {bad} with differences\n")
        if bad >= given.most:
            break
    seconds = time.monotonic() - began
    sys.stdout.write(f"{done} states, {bad} with differences, {seconds:.0f} s, seed {seed}\n")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
