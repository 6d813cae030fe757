"""The same last bits on all machines: what NumPy is told before it is loaded, for this process and all that it starts.

NumPy and OpenBLAS choose their code by the processor. Where it has AVX-512, logarithms and products of matrices end in
other bits than where it has not, and a batch that is played again there would have other bytes. So all take the code of
AVX2 on x86-64. How many threads share a product of matrices would decide its last bits, too; matrices are small here,
and threads for them wait for a busy core at three times the processor time.
"""

from collections.abc import MutableMapping
from pathlib import Path

_AVX512 = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}  # what NumPy calls X86_V4, from 2.4 on


def round_alike(environ: MutableMapping[str, str], features: set[str] | None = None) -> None:
    """Set what is not set: it counts for processes that have not loaded NumPy yet.

    Parameters
    ----------
    features
        Of the processor, as Linux names them; by default those of this machine.
    """
    features = _features() if features is None else features
    environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if "avx2" in features:
        environ.setdefault("OPENBLAS_CORETYPE", "Haswell")
    if features >= _AVX512:
        environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4")


def _features() -> set[str]:
    """Return what this processor can do; nothing where that cannot be read."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())
