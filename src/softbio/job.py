"""What surrounds a piece of work: its log and its errors."""

import errno
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from softbio.allocator import keep_freed_memory
from softbio.errors import UserError

# what no program can mend
OF_THE_DISK = {
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG),
}
OUT_OF_MEMORY = (
    "the GPU is out of memory; lower `batch` in the config, or let fewer jobs compute on it at a "
    "time: --resources gpu_slots=1"
)


@contextmanager
def job(log: Path | str | None = None, threads: int | None = None) -> Iterator[None]:
    """Log to a file (to stderr without one) and end on any error with exit status 1.

    A UserError, what the disk refuses and a GPU without memory left are told in one line, in the
    log and on stderr; anything else with its traceback. threads: how many torch may use, which
    also fixes the order of its sums.
    """
    logger = logging.getLogger("softbio")
    logger.setLevel(logging.INFO)
    handler = None
    try:
        # names of files may be no text
        safe = {"mode": "w", "encoding": "utf-8", "errors": "backslashreplace"}
        handler = logging.FileHandler(log, **safe) if log else logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        logger.addHandler(handler)
        keep_freed_memory()
        if threads:
            import torch

            torch.set_num_threads(threads)
        yield
        return
    except UserError as error:
        message = f"softbio: {error}"
    except OSError as error:
        message = traceback.format_exc()
        if error.errno in OF_THE_DISK:
            remedy = "correct the path or its permissions, or make room"
            message = f"softbio: {error.filename or 'a result'}: {error.strerror}; {remedy}"
    except Exception as error:
        message = traceback.format_exc()
        # by its name, for torch takes seconds to import and not every job does
        if type(error).__name__ == "OutOfMemoryError":
            message = f"softbio: {OUT_OF_MEMORY}"
    finally:
        if handler is not None:
            logger.removeHandler(handler)
            handler.close()
    print(message, file=sys.stderr)
    if handler is not None and log:
        with open(log, "a", encoding="utf-8", errors="backslashreplace") as file:
            print(message, file=file)
    raise SystemExit(1)
