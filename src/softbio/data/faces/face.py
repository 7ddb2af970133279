"""What one drawn face is: every number the renderer needs, and nothing else.

Lengths are in head units: the mean half width of a face is 1, x points to the image's right, y
down, z towards the viewer; the pupils of the mean face lie at y = 0. Colours are RGB in 0..1.
"""

from dataclasses import dataclass

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Bones:
    """A subject's geometry: constant over the years.

    All but `moles` and `freckles` (0..1) scale the mean of 1; `eye_tilt` has the mean 0."""

    width: float
    length: float
    jaw: float
    chin: float
    forehead: float
    cheekbones: float
    eye_spacing: float
    eye_size: float
    eye_open: float
    eye_tilt: float
    brow_height: float
    brow_arch: float
    brow_weight: float
    brow_ridge: float
    nose_length: float
    nose_width: float
    nose_bridge: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    ears: float
    moles: tuple[tuple[float, float, float], ...]  # x, y, radius
    freckles: float


@dataclass(frozen=True)
class Colours:
    """A subject's colours; `hair` is the colour before any grey."""

    skin: RGB
    hair: RGB
    iris: RGB
    lips: RGB


@dataclass(frozen=True)
class Ageing:
    """What the drawn age does to the face, each 0 (none) to 1 (strong)."""

    wrinkles: float
    sag: float
    grey: float
    recession: float
    spots: float
    thin_lips: float
    hollow: float
    baby_fat: float


@dataclass(frozen=True)
class Pose:
    """Angles in radians; `scale` in image sides a head unit; `centre` in image sides."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    centre: tuple[float, float]


@dataclass(frozen=True)
class Light:
    """A key light from `direction` (unit, towards the light) over an ambient level."""

    direction: tuple[float, float, float]
    strength: float
    ambient: float
    colour: RGB


@dataclass(frozen=True)
class Expression:
    """Smile, open mouth and raised brows 0..1; gaze in eye widths."""

    smile: float
    open: float
    brows: float
    gaze: tuple[float, float]


@dataclass(frozen=True)
class Hair:
    """Hair of the day: `length` 0 (shaved) .. 1 (below the shoulders), the rest 0..1 or -1..1."""

    length: float
    volume: float
    curl: float
    part: float  # x of the parting
    fringe: float
    beard: float
    stubble: float


@dataclass(frozen=True)
class Scene:
    """Background, clothes and make-up."""

    background: tuple[RGB, ...]
    clothes: RGB
    collar: int  # 0 round, 1 V, 2 shirt
    glasses: int  # 0 none, 1 round, 2 square
    frame: RGB
    makeup: float
    lipstick: RGB


@dataclass(frozen=True)
class Face:
    """One image's face. `texture` seeds its strands, pores and spots."""

    bones: Bones
    colours: Colours
    ageing: Ageing
    pose: Pose
    light: Light
    expression: Expression
    hair: Hair
    scene: Scene
    texture: int
