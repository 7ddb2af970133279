"""One file over HTTP; a download that was cut resumes.

What has come so far is kept next to the file, with its version (address and ETag or Last-Modified),
so that a later run can resume too. A server that ignores ranges, or has another version, makes it
start over. Google Drive, which wants a large file confirmed before it sends it, is left to gdown.
"""

import glob
import logging
import re
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

log = logging.getLogger(__name__)

TRIES = 5
# seconds before the second try, doubled for each further one, unless a server sends Retry-After
PAUSE = 1.0
# seconds; a server that asks for a longer pause is not tried again
MOST = 300.0
TIMEOUT = 20
# bytes; where a connection is cut, at most these are lost
STEP = 2**16
# the server is overloaded or down for a while
BUSY = {429, 500, 502, 503, 504}
CUT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
DRIVE = "gdrive:"


class Busy(requests.RequestException):
    """The server is overloaded; `pause`: the seconds that it asks to wait, None if it does not."""

    def __init__(self, status: int, pause: float | None) -> None:
        wait = "" if pause is None else f" and asks to wait {pause:,.0f} s"
        super().__init__(f"it answers {status}{wait}")
        self.pause = pause


class Resuming:
    """A downloader for pooch, (url, output, pooch) -> None; `folder` keeps what has come."""

    def __init__(self, folder: Path, name: str) -> None:
        self.part = folder / f".{name}.download"
        self.version = folder / f".{name}.version"
        self._heard = False

    def __call__(self, url: str, output: Any, _pooch: Any) -> None:
        """Write the file to the path `output`.

        Raises requests.RequestException where the server cannot be reached, refuses, is busy or
        cuts the connection `TRIES` times, or asks to wait more than `MOST` seconds; OSError for a
        full disk.
        """
        for attempt in range(1, TRIES + 1):
            pause = PAUSE * 2 ** (attempt - 1)
            try:
                if self._once(url):
                    self.part.replace(output)
                    self.forget()
                    return
            except Busy as error:
                if attempt == TRIES or (error.pause or 0) > MOST:
                    raise
                pause = pause if error.pause is None else error.pause
                log.warning("%s: %s; next try in %.0f s", url, error, pause)
            except CUT as error:
                # a server that never answered is not tried again
                if attempt == TRIES or not self._heard:
                    raise
                log.warning("%s: cut after %d bytes (%s)", url, self._size(), type(error).__name__)
            time.sleep(pause)
        raise requests.RequestException(f"another version at each of {TRIES} tries")

    def forget(self) -> None:
        """Remove what has come so far."""
        self.part.unlink(missing_ok=True)
        self.version.unlink(missing_ok=True)

    def _once(self, url: str) -> bool:
        """Try once; returns whether the file is whole."""
        have, version = self._size(), self._read_version(url)
        headers = {"Accept-Encoding": "identity"}
        if have and version:
            headers |= {"Range": f"bytes={have}-", "If-Range": version}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            self._heard = True
            if answer.status_code == 416:
                # the file is shorter than the part that is here: another version
                self.forget()
                return False
            if answer.status_code in BUSY:
                raise Busy(answer.status_code, _rest(answer.headers.get("Retry-After", "")))
            answer.raise_for_status()
            start = have if _resumes(answer, have) else 0
            if not start:
                # before the version is written: no kill may leave a part with another's version
                self.part.unlink(missing_ok=True)
            self.version.write_text(f"{url}\n{_version(answer.headers)}")
            self._receive(answer, start, url)
        return True

    def _receive(self, answer: requests.Response, start: int, url: str) -> None:
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
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

    def _read_version(self, url: str) -> str:
        """The version of the part that is here, "" where it is from another address."""
        known = self.version.read_text() if self.version.is_file() else ""
        source, _, version = known.partition("\n")
        return version if source == url else ""


class Drive:
    """A downloader for pooch of a file of Google Drive ("gdrive:ID"), by gdown.

    It keeps what has come in `folder`, under the file's number, and resumes there, in a later run
    too. gdown knows a part by its size alone, so it must not find another mirror's.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name

    def __call__(self, url: str, output: Any, _pooch: Any) -> None:
        """Write the file to the path `output`; raises requests.RequestException, with Google's
        reason (most often: too many downloads today), where it cannot be fetched."""
        found = re.fullmatch(r"gdrive:([A-Za-z0-9_-]{10,100})", url)
        if found is None:
            raise requests.RequestException("it is no file number of Google Drive")
        try:
            import gdown
        except ImportError:
            raise requests.RequestException("gdown is not installed: make report") from None
        whole = self._folder / f".{self._name}.{found[1]}.drive"
        try:
            gdown.download(
                id=found[1],
                output=str(whole),
                quiet=not sys.stderr.isatty(),
                use_cookies=False,
                resume=True,
                timeout=TIMEOUT,
                retries=TRIES - 1,
            )
        except gdown.DownloadError as error:
            raise requests.RequestException(str(error)) from None
        whole.replace(output)
        # parts from mirrors that failed
        for part in self._folder.glob(f".{glob.escape(self._name)}.*drive*"):
            part.unlink()


def downloader(url: str, folder: Path, name: str) -> Resuming | Drive:
    """The downloader of a file at that address to `folder`."""
    return Drive(folder, name) if url.startswith(DRIVE) else Resuming(folder, name)


def _rest(asked: str) -> float | None:
    """Seconds to wait by a Retry-After header, a number or a date; None where it is neither."""
    if re.fullmatch(r"\d{1,9}", asked):
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def _resumes(answer: requests.Response, have: int) -> bool:
    """Whether an answer is the rest of the file, from byte `have` on."""
    span = answer.headers.get("Content-Range", "")
    return answer.status_code == 206 and span.startswith(f"bytes {have}-")


def _version(headers: Any) -> str:
    """The version that If-Range compares: a strong ETag, else the time of the last change."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")
