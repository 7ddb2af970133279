"""AR-Face: gender, subject and condition in the file name, pixels without any header."""

import re

import numpy as np
import pandas as pd

from softbio.data.fetching.locate import Sources
from softbio.data.packing.pictures import decode
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import Split, split_images
from softbio.errors import UserError

WIDTH, HEIGHT = 768, 576
# the authors' page has M and F; the cropped faces, published later as bitmaps, have W for women
NAME = re.compile(
    r"(?:.*/)?(?P<image>(?P<gender>[MFW])-(?P<subject>\d{2,3})-(?P<condition>\d{1,2})\.(?:raw|bmp))",
    re.I,
)
GENDERS = {"M": "male", "F": "female", "W": "female"}
# 14 to 26 are 1 to 13 again, two weeks later
CONDITIONS = range(1, 27)


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Every image M-xx-yy.raw or F-xx-yy.raw, at any depth, of the conditions yy in
    `options.conditions` (1 to 26, all by default), sorted by name; subjects are "M-xx".

    All are for testing; with `options.split` they are divided by subject. Raises UserError where
    no image is there, or one twice.
    """
    wanted = set(spec.options.get("conditions", CONDITIONS))
    source = sources.open()
    rows = {}
    for name in source.names():
        found = NAME.fullmatch(name)
        if found is None or int(found["condition"]) not in wanted:
            continue
        if found["image"] in rows:
            raise UserError(f"{source.path}: '{found['image']}' is there twice; keep one of them")
        letter = found["gender"].upper()
        subject = f"{letter}-{found['subject']}"
        image = found["image"]
        rows[image] = (image, None, "test", GENDERS[letter], None, subject)
    if not rows:
        raise UserError(f"{source.path}: no image such as M-01-1.raw in it; {spec.obtain}")
    frame = pd.DataFrame([rows[image] for image in sorted(rows)], columns=COLUMNS)
    if "split" in spec.options:
        frame["split"] = split_images(frame["subject"], Split(**spec.options["split"]))
    return Records(frame, decode=decode_raw)


def decode_raw(content: bytes) -> np.ndarray:
    """uint8 (576, 768, 3) RGB of a .raw: all reds, then all greens, then all blues, rows from the
    top; a file of another length is decoded as any image. Raises ValueError for what is neither."""
    if len(content) != WIDTH * HEIGHT * 3:
        return decode(content)
    planes = np.frombuffer(content, np.uint8).reshape(3, HEIGHT, WIDTH)
    return np.ascontiguousarray(planes.transpose(1, 2, 0))
