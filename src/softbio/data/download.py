"""One file over HTTP, gone on with where a connection was cut.

What has come so far lies beside the file, with what tells the version that it is of (ETag or
Last-Modified), so that a later run goes on too. A server that ignores ranges, or has another
version by now, makes it start over.
"""

import logging
import re
import sys
import time
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

log = logging.getLogger(__name__)

TRIES = 5
# seconds before the second try, doubled for each further one; a server's Retry-After comes first
PAUSE = 1.0
MOST = 60.0
TIMEOUT = 20
# what has come of a step is lost where the connection is cut within it
STEP = 2**16
# the server has too much to do or is being repaired
BUSY = {429, 500, 502, 503, 504}
CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Resuming:
    """A downloader for pooch, (url, output, pooch) -> None, that keeps its part in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.part = folder / f".{name}.download"
        self.version = folder / f".{name}.version"
        self._heard = False

    def __call__(self, url: str, output: Any, _pooch: Any) -> None:
        """Write the file to the path `output`.

        Raises requests.RequestException where the server can not be reached, refuses, or cut the
        connection `TRIES` times; OSError for a full disk.
        """
        for attempt in range(1, TRIES + 1):
            try:
                pause = self._once(url)
            except CUT as error:
                # a server that nothing was ever heard of is not asked again
                if attempt == TRIES or not self._heard:
                    raise
                log.warning("%s: cut after %d bytes (%s)", url, self._size(), type(error).__name__)
                pause = PAUSE * 2 ** (attempt - 1)
            if pause is None:
                self.part.replace(output)
                self.forget()
                return
            if attempt < TRIES:
                time.sleep(min(pause, MOST))
        raise requests.ConnectionError(f"its server was busy {TRIES} times")

    def forget(self) -> None:
        """Remove what has come so far."""
        self.part.unlink(missing_ok=True)
        self.version.unlink(missing_ok=True)

    def _once(self, url: str) -> float | None:
        """Ask once; None where the file is whole, else the seconds to wait."""
        have, version = self._size(), self._read_version()
        headers = {"Accept-Encoding": "identity"}
        if have and version:
            headers |= {"Range": f"bytes={have}-", "If-Range": version}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            self._heard = True
            if answer.status_code == 416:
                # shorter than what is here: another version
                self.forget()
                return 0.0
            if answer.status_code in BUSY:
                asked = answer.headers.get("Retry-After", "")
                return float(asked) if re.fullmatch(r"\d{1,6}", asked) else PAUSE
            answer.raise_for_status()
            start = have if _goes_on(answer, have) else 0
            self.version.write_text(_version(answer.headers))
            self._receive(answer, start, url)
        return None

    def _receive(self, answer: requests.Response, start: int, url: str) -> None:
        told = answer.headers.get("Content-Length", "")
        total = start + int(told) if told.isdigit() else None
        with (
            open(self.part, "ab" if start else "wb") as file,
            tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=url.split("/")[-1],
                 disable=not sys.stderr.isatty()) as bar,
        ):  # fmt: skip
            for data in answer.iter_content(STEP):
                file.write(data)
                bar.update(len(data))
        if total is not None and self._size() != total:
            raise requests.ConnectionError(f"{self._size():,} of {total:,} bytes came")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _read_version(self) -> str:
        return self.version.read_text() if self.version.is_file() else ""


def _goes_on(answer: requests.Response, have: int) -> bool:
    """Whether an answer is the rest of the file, from byte `have` on."""
    span = answer.headers.get("Content-Range", "")
    return answer.status_code == 206 and span.startswith(f"bytes {have}-")


def _version(headers: Any) -> str:
    """What If-Range may compare: a strong ETag, else the time of the last change."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")
