"""From a subject's latent traits to the numbers that are drawn."""

from dataclasses import dataclass, replace

import numpy as np

from .face import RGB, Ageing, Bones, Colours, Expression, Face, Hair, Light, Pose, Scene

# Skin from light to dark, and natural hair colours: RGB in 0..255.
SKIN = np.array(
    [[244, 207, 182], [234, 189, 158], [216, 168, 130], [178, 126, 90], [132, 88, 62], [92, 60, 44]]
)
HAIR = np.array([[212, 176, 118], [166, 116, 66], [104, 66, 40], [62, 40, 28], [30, 24, 22]])
RED_HAIR = np.array([150, 72, 34])
IRISES = np.array([[104, 142, 176], [112, 140, 98], [134, 104, 58], [84, 52, 30], [50, 32, 22]])
CLOTHES = np.array(
    [[44, 62, 90], [150, 44, 50], [70, 96, 78], [226, 222, 214], [52, 50, 54], [196, 152, 78],
     [112, 88, 128], [96, 138, 168], [180, 116, 110], [88, 70, 58]]
)  # fmt: skip
BACKGROUNDS = np.array(
    [[178, 190, 200], [120, 132, 120], [206, 196, 180], [90, 96, 110], [160, 140, 124],
     [110, 136, 160], [196, 206, 196], [140, 112, 108], [70, 84, 84], [216, 214, 216]]
)  # fmt: skip

# Mean shift of each group: skin darkness and hair darkness (0..1), and geometry in its sd's.
GROUP_SKIN = (0.16, 0.34, 0.52, 0.76)
GROUP_HAIR = (0.45, 0.85, 0.80, 0.90)
GROUP_GEOMETRY = (
    {"nose_width": -0.4, "nose_bridge": 0.5},
    {"eye_open": -0.6, "cheekbones": 0.5, "nose_bridge": -0.4},
    {"brow_weight": 0.5, "nose_length": 0.3, "eye_size": 0.3},
    {"nose_width": 0.6, "upper_lip": 0.7, "lower_lip": 0.7},
)

# Geometry: standard deviation, and the shift for one unit of masculinity.
SPREAD = {
    "length": (0.04, 0.012), "jaw": (0.05, 0.038), "chin": (0.13, 0.08), "forehead": (0.05, 0.0),
    "cheekbones": (0.2, -0.05), "eye_spacing": (0.04, 0.0), "eye_size": (0.06, -0.045),
    "eye_open": (0.12, -0.06), "eye_tilt": (1.0, -0.4), "brow_height": (0.12, -0.09),
    "brow_arch": (0.4, -0.3), "brow_weight": (0.16, 0.17), "brow_ridge": (0.2, 0.25),
    "nose_length": (0.06, 0.02), "nose_width": (0.1, 0.04), "nose_bridge": (0.2, 0.06),
    "mouth_width": (0.07, 0.015), "upper_lip": (0.2, -0.12), "lower_lip": (0.17, -0.1),
    "ears": (0.1, 0.04),
}  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """What stays the same in all of a subject's images."""

    bones: Bones
    colours: Colours
    masculinity: float
    hair_curl: float
    wrinkling: float  # how strongly age shows, about 1
    grey_onset: float  # years
    balding: float  # 0..1
    beard: float  # liking for beards, 0..1
    glasses: float  # chance of an image with glasses


def draw_subject(rng: np.random.Generator, masculinity: float, group: int) -> Subject:
    """A subject of `group` (0..3) with the given masculinity score."""
    bones = _draw_bones(rng, masculinity, group)
    colours = _draw_colours(rng, group)
    curl = np.clip(rng.normal((0.3, 0.2, 0.35, 0.65)[group], 0.22), 0, 1)
    return Subject(
        bones=bones,
        colours=colours,
        masculinity=masculinity,
        hair_curl=float(curl),
        wrinkling=float(rng.normal(1, 0.1)),
        grey_onset=float(rng.normal(44, 8)),
        balding=float(rng.beta(1.2, 1.6) * _sigmoid(2.5 * masculinity)),
        beard=float(rng.random() * _sigmoid(4 * masculinity - 1)),
        glasses=float(rng.choice([0.02, 0.6], p=[0.8, 0.2])),
    )


def draw_image(rng: np.random.Generator, subject: Subject, drawn_age: float) -> Face:
    """One image of `subject` looking `drawn_age` years old."""
    return Face(
        bones=subject.bones,
        colours=subject.colours,
        ageing=ageing_at(drawn_age, subject),
        pose=_draw_pose(rng),
        light=_draw_light(rng),
        expression=_draw_expression(rng),
        hair=_draw_hair(rng, subject, drawn_age),
        scene=_draw_scene(rng, subject, drawn_age),
        texture=int(rng.integers(2**31)),
    )


def same_day(face: Face, first: Face) -> Face:
    """`face` with the age, hair, glasses and make-up of the subject's `first` one."""
    kept = {name: getattr(first.scene, name) for name in ("glasses", "frame", "makeup", "lipstick")}
    scene = replace(face.scene, **kept)
    return replace(face, ageing=first.ageing, hair=first.hair, scene=scene)


def ageing_at(drawn_age: float, subject: Subject) -> Ageing:
    """The signs of age at `drawn_age` years in `subject`."""
    rise = float(np.clip((drawn_age - 22) / 48, 0, 1.25)) * subject.wrinkling
    return Ageing(
        wrinkles=min(rise**1.15, 1.2),
        sag=min(rise**1.3, 1.2),
        grey=float(_sigmoid((drawn_age - subject.grey_onset - 8) / 5.5)),
        recession=subject.balding * float(np.clip((drawn_age - 24) / 38, 0, 1)),
        spots=min(rise**1.6, 1.0),
        thin_lips=min(rise, 1.0),
        hollow=min(rise**1.4, 1.0),
        baby_fat=float(np.clip((30 - drawn_age) / 14, 0, 1)),
    )


def _draw_bones(rng: np.random.Generator, masculinity: float, group: int) -> Bones:
    shift = GROUP_GEOMETRY[group]
    values = {}
    for name, (sd, masculine) in SPREAD.items():
        deviation = float(np.clip(rng.normal(shift.get(name, 0.0), 1), -2.5, 2.5))
        mean = 0.0 if name == "eye_tilt" else 1.0
        values[name] = mean + sd * deviation + masculine * masculinity
    count = int(rng.poisson(0.35))
    moles = tuple(
        (float(x), float(y), float(r))
        for x, y, r in zip(
            rng.uniform(-0.75, 0.75, count), rng.uniform(-0.6, 1.0, count),
            rng.uniform(0.010, 0.018, count), strict=True,
        )
    )  # fmt: skip
    width = 1.0 + 0.035 * float(np.clip(rng.normal(), -2, 2)) + 0.01 * masculinity
    return Bones(width=width, moles=moles, freckles=float(rng.beta(0.7, 4)), **values)


def _draw_colours(rng: np.random.Generator, group: int) -> Colours:
    tone = float(np.clip(rng.normal(GROUP_SKIN[group], 0.11), 0, 1))
    skin = _ramp(SKIN, tone) + rng.normal(0, 1, 3) * (0.012, 0.008, 0.010)
    darkness = float(np.clip(rng.normal(GROUP_HAIR[group], 0.25), 0.0, 1.0))
    hair = _ramp(HAIR, darkness)
    if rng.random() < 0.12 * (1 - tone):
        hair = 0.35 * hair + 0.65 * RED_HAIR / 255
    iris = _ramp(IRISES, float(np.clip(rng.normal(0.25 + tone + 0.2 * darkness, 0.25), 0, 1)))
    lips = skin * (0.86, 0.60, 0.60) + rng.normal(0, 0.015, 3)
    return Colours(*(_rgb(colour) for colour in (skin, hair, iris, lips)))


def _draw_pose(rng: np.random.Generator) -> Pose:
    return Pose(
        yaw=float(np.clip(rng.normal(0, 0.17), -0.42, 0.42)),
        pitch=float(np.clip(rng.normal(0, 0.08), -0.2, 0.2)),
        roll=float(np.clip(rng.normal(0, 0.06), -0.2, 0.2)),
        scale=float(rng.uniform(0.242, 0.272)),
        centre=(float(rng.normal(0.5, 0.012)), float(rng.normal(0.505, 0.012))),
    )


def _draw_light(rng: np.random.Generator) -> Light:
    direction = np.array([rng.normal(0, 0.55), rng.normal(-0.45, 0.25), 0.9])
    direction /= np.linalg.norm(direction)
    warmth = max(rng.normal(0.01, 0.04), -0.04)
    strength = float(rng.uniform(0.45, 0.68))
    return Light(
        direction=tuple(float(v) for v in direction),
        strength=strength,
        ambient=float(rng.uniform(0.36, 0.46)),
        colour=(1 + warmth, 1.0, 1 - warmth),
    )


def _draw_expression(rng: np.random.Generator) -> Expression:
    mood = rng.random()
    smile = 0.1 + 0.25 * rng.random() if mood < 0.4 else rng.uniform(0.3, 1.0)
    opened = rng.uniform(0.15, 0.6) if mood > 0.9 else 0.0
    return Expression(
        smile=float(smile if mood <= 0.9 else 0.2 * smile),
        open=float(opened),
        brows=float(np.clip(rng.normal(0.1, 0.25), -0.3, 1)),
        gaze=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.06))),
    )


def _draw_hair(rng: np.random.Generator, subject: Subject, drawn_age: float) -> Hair:
    long = rng.random() < _sigmoid(-2.0 * subject.masculinity - 0.02 * (drawn_age - 40))
    length = rng.uniform(0.45, 1.0) if long else rng.uniform(0.12, 0.4)
    if not long and rng.random() < 0.12 + 0.3 * subject.balding:
        length = rng.uniform(0.0, 0.08)
    bearded = rng.random() < subject.beard
    return Hair(
        length=float(length),
        volume=float(rng.uniform(0.3, 1.0)),
        curl=subject.hair_curl,
        part=float(rng.choice([-0.45, -0.25, 0.0, 0.25, 0.45]) + rng.normal(0, 0.04)),
        fringe=float(rng.uniform(0.4, 1.0) if rng.random() < (0.35 if long else 0.25) else 0.0),
        beard=float(rng.uniform(0.35, 1.0)) if bearded else 0.0,
        stubble=float(rng.uniform(0, 0.7) * _sigmoid(3 * subject.masculinity - 0.5)),
    )


def _draw_scene(rng: np.random.Generator, subject: Subject, drawn_age: float) -> Scene:
    picks = BACKGROUNDS[rng.integers(len(BACKGROUNDS), size=3)] / 255
    shades = picks * rng.uniform(0.75, 1.1)
    wears = rng.random() < subject.glasses + 0.004 * max(drawn_age - 40, 0)
    made_up = rng.random() < 0.65 * _sigmoid(-3 * subject.masculinity - 0.5)
    lipstick = subject.colours.lips * np.array([1.02, 0.62, 0.68]) + (0.08, 0.0, 0.02)
    return Scene(
        background=tuple(_rgb(shade) for shade in shades),
        clothes=_rgb(CLOTHES[rng.integers(len(CLOTHES))] / 255 + rng.normal(0, 0.03, 3)),
        collar=int(rng.integers(3)),
        glasses=int(rng.integers(1, 3)) if wears else 0,
        frame=_rgb(np.array([0.14, 0.11, 0.10]) * rng.uniform(0.5, 2.5)),
        makeup=float(rng.uniform(0.35, 1.0)) if made_up else 0.0,
        lipstick=_rgb(lipstick),
    )


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _ramp(colours: np.ndarray, at: float) -> np.ndarray:
    """The colour `at` 0..1 of the way through `colours` (0..255), as 0..1."""
    places = np.linspace(0, 1, len(colours))
    return np.array([np.interp(at, places, colours[:, i]) for i in range(3)]) / 255


def _rgb(colour: np.ndarray) -> RGB:
    r, g, b = np.clip(colour, 0.02, 0.98)
    return float(r), float(g), float(b)
