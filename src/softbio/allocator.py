"""How the C library hands out memory, which decides the speed of small networks on a CPU."""

import sys

# from malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT = 2**30


def keep_freed_memory() -> bool:
    """Let glibc keep freed blocks below 1 GiB for what is allocated next; False where the C library
    cannot, or Python cannot call it.

    By default it returns each large one to the kernel, which clears every page of it before the
    next batch may use it: a tenth of the small network's training, a quarter of FaceRes. Results do
    not change.
    """
    if sys.platform != "linux":
        return False
    try:
        # `cut` and `join` run on any Python: one without libffi has no ctypes, a static one cannot
        # open itself
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    except (ImportError, OSError):
        return False
    if mallopt is None:
        return False
    # some versions of glibc take no more than 32 MiB, and the second setting alone would do harm
    taken = any(mallopt(M_MMAP_THRESHOLD, size) for size in (KEPT, 2**25))
    return taken and bool(mallopt(M_TRIM_THRESHOLD, KEPT))
