"""Images per second from the formats that authors distribute to the packed array; peak memory.

    python benchmarks/packing.py

Creates 20,000 JPEG files of 128 px in a temporary folder, noise of about 9 kB, the size of
photographs, and packs them from a folder, a zip, a tar, a tar.gz and a tar.xz in parts, each in its
own process. Fetching (checksums, and listing an archive to its end) is done before and timed
separately. Appends one line per case to a CSV and prints it.
"""

import argparse
import csv
import io
import os
import re
import resource
import string
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 128
# noise of half the resolution at this quality gives 9 kB
QUALITY = 85
PARTS = 8
CASES = ("folder", "zip", "tar", "tar.gz", "tar.xz in parts")
# case, tarfile's name of the compression, and the fastest setting: photographs hardly compress
TARS = (
    ("tar", "", {}),
    ("tar.gz", "gz", {"compresslevel": 1}),
    ("tar.xz in parts", "xz", {"preset": 0}),
)


@dataclass(frozen=True)
class Line:
    """One line of the CSV. images_per_second: of packing, including the reading of the lists;
    cpu_ms_per_image: sum over all threads, hardly affected by other work on the machine; load:
    load average of the machine just before."""

    date: str
    commit: str
    hardware: str
    source: str
    images: int
    size: int
    workers: int
    fetch_seconds: float
    images_per_second: float
    cpu_ms_per_image: float
    peak_memory_mb: int
    load: float


def jpegs(number: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of `number` images, each with its own noise."""
    generator = np.random.default_rng(0)
    for i in range(number):
        noise = generator.integers(0, 256, (SIDE // 2, SIDE // 2, 3), np.uint8)
        content = io.BytesIO()
        Image.fromarray(noise).resize((SIDE, SIDE)).save(content, "JPEG", quality=QUALITY)
        yield f"{i // 1000:03d}/{i:06d}.jpg", content.getvalue()


def build(folder: Path, number: int) -> dict[str, Path]:
    """The images in each format, with the list beside it; case -> its source."""
    sources = {case: folder / case / "faces" for case in CASES}
    for case, source in sources.items():
        source.parent.mkdir()
        with open(source.parent / "labels.csv", "w") as file:
            file.write("file,age,split\n")
            for row in range(number):
                part = "train" if row % 5 else "test"
                file.write(f"{row // 1000:03d}/{row:06d}.jpg,{20 + row % 40},{part}\n")
        if case != "folder":
            sources[case] = source.with_name(f"faces.{case.split()[0]}")
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(sources["zip"], "w"))
        tars = [stack.enter_context(tarfile.open(sources[case], f"w:{kind}", **options))
                for case, kind, options in TARS]  # fmt: skip
        for name, content in jpegs(number):
            path = sources["folder"] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            archive.writestr(name, content)
            member = tarfile.TarInfo(f"faces/{name}")
            member.size = len(content)
            for tar in tars:
                tar.addfile(member, io.BytesIO(content))
    cut(sources[CASES[-1]])
    return sources


def cut(path: Path) -> None:
    """Into parts, as `split` names them; the whole is removed."""
    content = path.read_bytes()
    step = -(-len(content) // PARTS)
    for number in range(PARTS):
        part = path.with_name(f"{path.name}a{string.ascii_lowercase[number]}")
        part.write_bytes(content[number * step : (number + 1) * step])
    path.unlink()


def pack(source: Path, work: Path, workers: int) -> tuple[float, float, float, int]:
    """Seconds of fetching and of packing, CPU seconds of packing, peak memory in MiB."""
    from softbio.data.fetching.locate import fetch
    from softbio.data.prepare import prepare
    from softbio.data.registry import DatasetSpec

    spec = DatasetSpec("faces", "Noise", "table", (20, 59), source=source,
                       lists={"all": str(source.parent / "labels.csv")})  # fmt: skip
    begun = time.perf_counter()
    fetch(spec, work / "raw")
    fetched, cpu = time.perf_counter(), time.process_time()
    prepare(spec, SIDE, work / "packed", work / "raw", workers)
    done, cpu = time.perf_counter(), time.process_time() - cpu
    return fetched - begun, done - fetched, cpu, peak_mb()


def peak_mb() -> int:
    """Peak memory of this process so far, MiB; from Linux's own figure if there is one, because the
    other includes the memory of the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        return round(int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 2**10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))


def measured(case: str, source: Path, options: argparse.Namespace) -> Line:
    """Pack one case in its own process."""
    # imports torch, which is not to count in the other process
    from torch import device

    from softbio.engine.device import hardware
    from softbio.engine.provenance import git_state

    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as work,
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
    ):
        fetching, packing, cpu, peak = pool.submit(
            pack, source, Path(work), options.workers
        ).result()
    return Line(
        date=date.today().isoformat(),
        commit=(git_state()["commit"] or "")[:7],
        hardware=hardware(device("cpu")),
        source=case,
        images=options.images,
        size=SIDE,
        workers=options.workers,
        fetch_seconds=round(fetching, 1),
        images_per_second=round(options.images / packing),
        cpu_ms_per_image=round(1000 * cpu / options.images, 3),
        peak_memory_mb=peak,
        load=round(load, 1),
    )


def main() -> None:
    """Measure all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2, help="threads that decode")
    parser.add_argument("--folder", type=Path, help="for some GB of temporary files")
    parser.add_argument("--out", type=Path, default=Path("results/packing.csv"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in fields(Line)]
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        open(options.out, "a", newline="") as file,
    ):
        outputs = [csv.DictWriter(out, names, lineterminator="\n") for out in (file, sys.stdout)]
        if not file.tell():
            outputs[0].writeheader()
        outputs[1].writeheader()
        for case, source in build(Path(folder), options.images).items():
            line = asdict(measured(case, source, options))
            for output in outputs:
                output.writerow(line)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
