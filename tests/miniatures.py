"""Data sets in their authors' layout, small and of drawn faces: names, lists, parts, encodings."""

import csv
import gzip
import io
import lzma
import string
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from softbio.data.faces import draw_population, render
from softbio.data.readers.muct import HEADER
from softbio.data.registry import DatasetSpec, load_registry
from tests.conftest import ROOT


def spec(name: str, source: Path | None, **changes: Any) -> DatasetSpec:
    """The registry's entry for a miniature, whose files have checksums of their own."""
    entry = load_registry(ROOT / "config/datasets.yaml")[name]
    files = tuple(replace(file, sha256=None, bytes=None, md5=None) for file in entry.files)
    return replace(entry, source=source, files=files, **changes)


@lru_cache
def drawn(number: int) -> list[bytes]:
    """JPEGs of so many drawn faces, with a grey one among them."""
    faces = draw_population(number, 1, (18, 60), seed=5)[1]
    images = [Image.fromarray(render(face, 64)[0]) for face in faces[:number]]
    images[1] = images[1].convert("L")
    return [jpeg(image) for image in images]


def jpeg(image: Image.Image, **settings: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=90, **settings)
    return content.getvalue()


def tarball(files: Mapping[str, bytes], encoding: str = "utf-8") -> bytes:
    content = io.BytesIO()
    with tarfile.open(
        fileobj=content, mode="w", format=tarfile.GNU_FORMAT, encoding=encoding
    ) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def cut(content: bytes, path: Path, parts: int = 3) -> list[Path]:
    """What `split --bytes` makes of a file: PATHaa, PATHab, ..; the last is shorter."""
    size = -(-len(content) // parts)
    letters = string.ascii_lowercase
    paths = [path.with_name(path.name + letters[i // 26] + letters[i % 26]) for i in range(parts)]
    for number, part in enumerate(paths):
        part.write_bytes(content[number * size : (number + 1) * size])
    return paths


def write_list(path: Path, columns: str, rows: Iterable[Iterable[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([columns.split(","), *rows])


AFAD = {
    f"{age}/{gender}/{500 + age}-{number}.jpg": (age, gender)
    for age in (15, 16, 39, 40)
    for gender in (111, 112)
    for number in range(3)
}


def afad(folder: Path) -> dict[str, bytes]:
    """AFAD-Full.tar.xz in three parts and the test list, of every third image; the images."""
    folder.mkdir()
    images = dict(zip(AFAD, drawn(len(AFAD)), strict=True))
    files = {f"AFAD-Full/{name}": content for name, content in images.items()}
    # what the archive holds beside them, and an age that is not asked for
    files |= {"AFAD-Full/.DS_Store": b"\0", "AFAD-Full/41/111/9-0.jpg": files[next(iter(files))]}
    cut(lzma.compress(tarball(files)), folder / "AFAD-Full.tar.xz")
    (folder / "restore.sh").write_text("cat AFAD-Full.tar.xz* > AFAD-Full.tar.xz\n")
    (folder / "README.txt").write_text("In order to ..\n")
    rows = [
        (name.split("/")[-1], name, age - 15, "male" if gender == 111 else "female")
        for name, (age, gender) in AFAD.items()
    ]
    write_list(folder / "afad_test.csv", "file,path,age,gender", rows[::3])
    write_list(folder / "afad_valid.csv", "file,path,age,gender", rows[1:2])
    return images


CACD = [
    "24_Clémence_Poésy_0002.jpg",
    "43_Sinéad_O'Connor_0005.jpg",
    "31_50_Cent_0001.jpg",
    "54_Bill_Pullman_0006.jpg",
    "16_Zoë_Kravitz_0008.jpg",
    "14_Dakota_Fanning_0001.jpg",
    "62_Bill_Pullman_0010.jpg",
]


def cacd(folder: Path) -> dict[str, bytes]:
    """The three lists of CACD; the images, of which a test makes the archive."""
    folder.mkdir()
    rows = [(number, name, int(name[:2]) - 14) for number, name in enumerate(CACD)]
    for part, chosen in (("train", rows[2:5]), ("valid", rows[:2]), ("test", rows[5:])):
        write_list(folder / f"cacd_{part}.csv", ",file,age", chosen)
    return dict(zip(CACD, drawn(len(CACD)), strict=True))


MORPH2 = [
    ("009055_1M54", "B"),
    ("074598_0M35", "W"),
    ("107066_10F16", "H"),
    ("290135_03M22", "A"),
    ("306329_00F70", "I"),
    ("009055_2M55", "B"),
]


def morph2(folder: Path) -> dict[str, bytes]:
    """Album2/*.JPG and the two lists, the last two rows for testing; the images as listed."""
    (folder / "Album2").mkdir(parents=True)
    images = {}
    rows = []
    for (name, race), content in zip(MORPH2, drawn(len(MORPH2)), strict=True):
        subject, rest = name.split("_")
        (folder / "Album2" / f"{name}.JPG").write_bytes(content)
        images[f"{name}.jpg"] = content
        male = 1 if "M" in rest else -1
        picture = int(rest.replace("F", "M").split("M")[0])
        label = int(name[-2:]) - 16
        rows.append((f"{name}.jpg", int(subject), picture, race, male, "", label, "", "GOOD"))
    columns = ",id_num,picture_num,race,Male,facial_hair,age,glasses,quality"
    write_list(folder / "morph2_train.csv", columns, rows[:4])
    write_list(folder / "morph2_test.csv", columns, rows[4:])
    return images


UTKFACE = [
    "36_0_1_20170117163203851.jpg.chip.jpg",
    "21_1_0_20170109150557335.jpg.chip.jpg",
    "60_0_4_20170117174525125.jpg.chip.jpg",
    # one name of the split lacks the race, others a point
    "39_1_20170116174525125.jpg.chip.jpg",
    "55_1_4_20170116232725357jpg.chip.jpg",
    # ages that are on no list
    "1_1_0_20161219154612988.jpg.chip.jpg",
    "116_1_2_20170112220255503.jpg.chip.jpg",
]


def utkface(folder: Path) -> dict[str, bytes]:
    """UTKFace.tar.gz, two images of ages that are on no list among its seven, and the two lists;
    the images as listed."""
    folder.mkdir()
    images = dict(zip(UTKFACE, drawn(len(UTKFACE)), strict=True))
    content = tarball({f"UTKFace/{name}": data for name, data in images.items()})
    (folder / "UTKFace.tar.gz").write_bytes(gzip.compress(content))
    ages = [int(name.split("_")[0]) for name in UTKFACE[:5]]
    rows = [(row, UTKFACE[row], age - 21) for row, age in enumerate(ages)]
    write_list(folder / "utk_train.csv", ",file,age", rows[:3])
    write_list(folder / "utk_test.csv", ",file,age", rows[3:])
    return {name: images[name] for name in UTKFACE[:5]}


CELEBA = ("Attractive", "Male", "Young")


def celeba(folder: Path) -> dict[str, bytes]:
    """img_align_celeba.zip with six images of three people, and the three lists, with their header,
    their columns set with blanks, and their order of the parts; the images."""
    folder.mkdir()
    images = {f"{row + 1:06d}.jpg": content for row, content in enumerate(drawn(6))}
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        archive.writestr("img_align_celeba/", b"")
        for name, content in images.items():
            archive.writestr(f"img_align_celeba/{name}", content)
    attributes = [f"{name} {row % 2 * 2 - 1:2d} {1 - row // 2 % 2 * 2:2d}  1\n"
                  for row, name in enumerate(images)]  # fmt: skip
    head = f"{len(images)}\n{' '.join(CELEBA)} \n"
    (folder / "list_attr_celeba.txt").write_text(head + "".join(attributes))
    identity = "".join(f"{name} {2880 + row // 2}\n" for row, name in enumerate(images))
    (folder / "identity_CelebA.txt").write_text(identity)
    parts = "".join(f"{name} {row // 2}\n" for row, name in enumerate(images))
    (folder / "list_eval_partition.txt").write_text(parts)
    return images


LFW = ["Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bob/Bob_0001.jpg",
       "Bob/Bob_0010.jpg", "Jose_Maria_Aznar/Jose_Maria_Aznar_0003.jpg"]  # fmt: skip


def lfw(folder: Path) -> dict[str, bytes]:
    """lfw-deepfunneled.tgz with an image that no pair needs, pairs.txt of two folds, and the lists
    of names; the images of the pairs."""
    folder.mkdir()
    images = dict(zip([*LFW, "Cy/Cy_0001.jpg"], drawn(len(LFW) + 1), strict=True))
    content = tarball({f"lfw-deepfunneled/{name}": data for name, data in images.items()})
    (folder / "lfw-deepfunneled.tgz").write_bytes(gzip.compress(content))
    pairs = ["2\t1", "Ann_Lee\t1\t2", "Ann_Lee\t2\tBob\t1"]
    pairs += ["Bob\t1\t10", "Ann_Lee\t1\tJose_Maria_Aznar\t3"]
    (folder / "pairs.txt").write_text("\n".join(pairs) + "\n")
    names = [name.split("/")[1] for name in images]
    (folder / "female_names.txt").write_text("\n".join(names[:2]) + "\n")
    (folder / "male_names.txt").write_text("\n".join(names[2:]) + "\n\n")
    return {name: images[name] for name in LFW}


MUCT = [
    f"i{subject}{light}{camera}-{traits}"
    for subject, traits in (("000", "fn"), ("001", "mg"), ("247", "mn"))
    for light in "qr"
    for camera in "abcde"
]


def muct(folder: Path) -> dict[str, bytes]:
    """An archive a camera and one with the landmarks; the images."""
    folder.mkdir()
    images = {f"{name}.jpg": c for name, c in zip(MUCT, drawn(len(MUCT)), strict=True)}
    for camera in "abcde":
        files = {f"jpg/{n}": content for n, content in images.items() if n[5] == camera}
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        (folder / f"muct-{camera}-jpg-v1.tar.gz").write_bytes(packed.getvalue())
    lines = [",".join(HEADER)]
    for number, name in enumerate(MUCT):
        hidden = name[5] in "bc"
        points = [(0, 0) if hidden and i == 4 else (20 + i / 4, 30 + number) for i in range(76)]
        numbers = ",".join(f"{x},{y}" for x, y in points)
        lines += [f"{name},0000,{numbers}", f"ir{name[1:]},0100,{numbers}"]
    files = {
        "muct-landmarks/README.txt": b"The MUCT landmarks\n",
        "muct-landmarks/muct76-opencv.csv": ("\n".join(lines) + "\n").encode(),
    }
    with tarfile.open(folder / "muct-landmarks-v1.tar.gz", "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return images


def ar_face(folder: Path) -> dict[str, np.ndarray]:
    """Two discs of .raw files, planes of 768 x 576, and a note; the pixels (576, 768, 3)."""
    faces = {}
    for name, content in zip(
        ("dbf1/M-00-1.raw", "dbf1/M-02-26.raw", "dbf2/F-02-14.raw"), drawn(3), strict=True
    ):
        pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB").resize((768, 576)))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(pixels[..., channel].tobytes() for channel in range(3)))
        faces[path.name] = pixels
    (folder / "readme.txt").write_text("The AR Face Database\n")
    return faces


def celeba_people(folder: Path, subjects: int = 30, each: int = 2) -> pd.DataFrame:
    """img_align_celeba.tar of JPEGs of 178 x 218, and the four lists, as CelebA has them (the
    authors' zip is known by its checksum); a row an image in the order of the lists: image, gender,
    subject, age_group, part.

    The parts are by subject: of five, three train, one validates and one tests.
    """
    frame, faces = draw_population(subjects, each, (18, 60), seed=3)
    frame = frame.assign(image=[f"{number:06d}.jpg" for number in range(1, len(frame) + 1)])
    frame["age_group"] = np.where(frame["age"] < 40, "young", "old")
    frame["part"] = pd.factorize(frame["subject"])[0] % 5
    frame["part"] = frame["part"].map({3: 1, 4: 2}).fillna(0).astype(int)
    with tarfile.open(folder / "img_align_celeba.tar", "w") as archive:
        for name, face in zip(frame["image"], faces, strict=True):
            whole = Image.new("RGB", (178, 218), (255, 0, 0))
            square = Image.fromarray(render(face, 64)[0]).resize((178, 178))
            whole.paste(square, (0, 20))
            content = jpeg(whole, subsampling=0)
            member = tarfile.TarInfo(f"img_align_celeba/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    signs = {True: " 1", False: "-1"}
    told = zip(frame["image"], frame["gender"], frame["age_group"], strict=True)
    lines = [f"{image} {signs[g == 'male']} {signs[a == 'young']}" for image, g, a in told]
    attributes = "\n".join([str(len(frame)), "Male Young ", *lines])
    (folder / "list_attr_celeba.txt").write_text(attributes + "\n")
    numbers = pd.factorize(frame["subject"])[0] + 1
    for name, column in (("identity_CelebA", numbers), ("list_eval_partition", frame["part"])):
        rows = [f"{i} {value}\n" for i, value in zip(frame["image"], column, strict=True)]
        (folder / f"{name}.txt").write_text("".join(rows))
    return frame[["image", "gender", "subject", "age_group", "part"]]
