"""What surrounds a piece of work: its log and its errors."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from softbio.errors import UserError


@contextmanager
def job(log: Path | str | None = None, threads: int | None = None) -> Iterator[None]:
    """Log to a file (to stderr without one) and end on any error with exit status 1.

    A UserError is told in its one line, in the log and on stderr; anything else with its
    traceback. threads: how many torch may use, which also fixes the order of its sums.
    """
    handler = logging.FileHandler(log, mode="w") if log else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logger = logging.getLogger("softbio")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        if threads:
            import torch

            torch.set_num_threads(threads)
        yield
    except UserError as error:
        message = f"softbio: {error}"
    except Exception:
        message = traceback.format_exc()
    else:
        return
    finally:
        logger.removeHandler(handler)
        handler.close()
    print(message, file=sys.stderr)
    if log:
        with open(log, "a") as file:
            print(message, file=file)
    raise SystemExit(1)
