"""A file from the first of its mirrors that has it, or one error that names them all."""

import logging
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from softbio.data.fetching.members import members_of
from softbio.data.fetching.streams import parts_of, suffix
from softbio.data.registry import FileSpec
from softbio.errors import UserError

log = logging.getLogger(__name__)


def download_parts(file: FileSpec, raw: Path, owner: str, remedy: str) -> list[Path]:
    """`download` NAMEaa, NAMEab, .. up to the one that no mirror has; nothing where all are there
    and were listed to the end."""
    came: list[Path] = []
    if members_of(raw, file.name).exists() and parts_of(raw / file.name):
        return came
    for number in count():
        end = suffix(number)
        urls = [address + end for address in file.addresses]
        part = FileSpec(file.name + end, urls[0], None, None, tuple(urls[1:]))
        new, failures = not (raw / part.name).exists(), _failures(part, raw)
        if number and failures and all(failure.unknown for failure in failures):
            return came
        if failures:
            raise _unavailable(part, failures, raw, owner, remedy)
        came += [raw / part.name] if new else []


def download(file: FileSpec, raw: Path, owner: str, remedy: str) -> list[Path]:
    """Fetch one file to raw/{its name} from the first of its mirrors that has it, unless it is
    there with the right checksum (or at all, where none is known); a download that was cut resumes,
    in a later run too. Returns the file where it is new, else nothing.

    owner, remedy: a UserError names whose file it is, and what to do where it cannot be fetched.
    """
    new = not (raw / file.name).exists()
    if failures := _failures(file, raw):
        raise _unavailable(file, failures, raw, owner, remedy)
    return [raw / file.name] if new else []


@dataclass(frozen=True)
class _Failure:
    """Why a mirror did not give a file; unknown: it has no such file (404)."""

    url: str
    why: str
    unknown: bool = False


def _failures(file: FileSpec, raw: Path) -> list[_Failure]:
    """Fetch a file; returns the failures of all mirrors, none where one of them had it."""
    # slow to import, and most runs download nothing
    import pooch
    import requests

    from softbio.data.fetching.download import downloader

    known = f"sha256:{file.sha256}" if file.sha256 else f"md5:{file.md5}" if file.md5 else None
    pooch.get_logger().setLevel("WARNING")
    failures = []
    # a name may have folders in it
    place = raw / file.name
    for url in file.addresses:
        way = downloader(url, place.parent, place.name)
        try:
            pooch.retrieve(url, known, place.name, place.parent, downloader=way)
        except requests.ConnectionError:
            failures.append(_Failure(url, "no connection"))
        except (requests.RequestException, ValueError) as error:
            answer = getattr(error, "response", None)
            unknown = answer is not None and answer.status_code == 404
            failures.append(_Failure(url, " ".join(str(error).split()), unknown))
        except OSError as error:
            # this machine's disk: no other mirror helps
            return [*failures, _Failure(url, " ".join(str(error).split()))]
        else:
            return []
        log.warning("%s: %s: %s", file.name, url, failures[-1].why)
    return failures


def _unavailable(
    file: FileSpec, failures: list[_Failure], raw: Path, owner: str, remedy: str
) -> UserError:
    tried = ", nor from ".join(f"{failure.url} ({failure.why})" for failure in failures)
    room = shutil.disk_usage(raw).free
    return UserError(
        f"{owner}: {file.name} cannot be fetched from {tried}; {room / 1e9:.1f} GB free: {remedy}"
    )
