"""The weights of a caffemodel: protobuf, read field by field, for OpenCV 5 reads Caffe no more.

Field numbers from caffe.proto. The file is hostile until read: every length is checked.
"""

import math
from collections.abc import Iterator

import numpy as np

MAX_VALUES = 200_000_000
# NetParameter: layers 2 (V1LayerParameter: name 4, blobs 6), layer 100 (name 1, blobs 7)
LAYERS = {2: (4, 6), 100: (1, 7)}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_caffemodel(content: bytes) -> dict[str, list[np.ndarray]]:
    """Layer -> its blobs, float32 (weights, bias); layers without blobs are left out.

    Raises ValueError for bytes that are no caffemodel.
    """
    found: dict[str, list[np.ndarray]] = {}
    for number, layer in fields(memoryview(content)):
        if number not in LAYERS or isinstance(layer, int):
            continue
        name_field, blobs_field = LAYERS[number]
        name, blobs = "", []
        for inner, value in fields(layer):
            if inner == name_field and not isinstance(value, int):
                name = bytes(value).decode("utf-8")
            elif inner == blobs_field and not isinstance(value, int):
                blobs.append(_blob(value))
        if blobs:
            if name in found:
                raise ValueError(f"layer {name!r} is there twice")
            found[name] = blobs
    return found


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of each field of a message: an int, or the bytes of what is none."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == BYTES:
            length, at = _varint(data, at)
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"a field of the unknown wire type {wire}")
        if length > len(data) - at:
            raise ValueError(f"a field of {length:,} bytes, where {len(data) - at:,} are left")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")


def _blob(data: memoryview) -> np.ndarray:
    """BlobProto: num, channels, height, width 1-4 (legacy), data 5 (packed), shape 7."""
    legacy, shape, parts = {}, None, []
    for number, value in fields(data):
        if number in (1, 2, 3, 4) and isinstance(value, int):
            legacy[number] = value
        elif number == 5 and not isinstance(value, int):
            parts.append(np.frombuffer(value, "<f4"))
        elif number == 7 and not isinstance(value, int):
            shape = _dimensions(value)
    if shape is None:
        shape = [legacy.get(number, 1) for number in (1, 2, 3, 4)]
    values = np.concatenate(parts) if parts else np.empty(0, np.float32)
    if math.prod(shape) != len(values) or len(values) > MAX_VALUES or len(shape) > 8:
        raise ValueError(f"a blob of {len(values):,} values is not of the shape {shape}")
    return values.reshape(shape).astype(np.float32)


def _dimensions(data: memoryview) -> list[int]:
    """BlobShape: dim 1, packed or one by one."""
    found = []
    for number, value in fields(data):
        if number == 1 and isinstance(value, int):
            found.append(value)
        elif number == 1:
            at = 0
            while at < len(value):
                side, at = _varint(value, at)
                found.append(side)
    return found
