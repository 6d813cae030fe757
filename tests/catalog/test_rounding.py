"""The last bits do not depend on the processor: a batch that is played again elsewhere has the same bytes."""

import os
import platform
import subprocess
import sys

import pytest

from catalog.rounding import round_alike

ALL = {"avx2", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
LAST_BITS = """
import hashlib
import numpy as np
draw = np.random.Generator(np.random.SFC64(7))
numbers, matrices = draw.uniform(0.01, 5, 100_000), draw.normal(size=(200, 40, 40))
found = np.log(numbers), np.exp(numbers), matrices @ matrices, np.linalg.inv(matrices)
print(hashlib.sha256(b"".join(one.tobytes() for one in found)).hexdigest()[:16])
"""
DIGEST = "90825385efc78b22"


def test_only_code_that_all_processors_have_is_asked_for_and_what_is_set_stays() -> None:
    set_by = [dict[str, str](), {"OPENBLAS_CORETYPE": "Zen", "OPENBLAS_NUM_THREADS": "2"}]
    for environ in set_by:
        round_alike(environ, ALL)
    assert set_by[0] == {
        "OPENBLAS_NUM_THREADS": "1",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    }
    assert (set_by[1]["OPENBLAS_CORETYPE"], set_by[1]["OPENBLAS_NUM_THREADS"]) == ("Zen", "2")


@pytest.mark.parametrize("features", [set[str](), ALL - {"avx2", "avx512vl"}])
def test_nothing_is_asked_of_a_processor_that_it_cannot_do(features: set[str]) -> None:
    environ = dict[str, str]()
    round_alike(environ, features)
    assert environ == {"OPENBLAS_NUM_THREADS": "1"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the digest is of x86-64")
def test_logarithms_and_matrices_end_in_the_same_bits_on_every_processor_with_avx2() -> None:
    told = ("OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")
    environ = {name: value for name, value in os.environ.items() if name not in told}
    round_alike(environ)
    done = subprocess.run([sys.executable, "-c", LAST_BITS], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == DIGEST
