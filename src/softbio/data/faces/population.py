"""Who is drawn: subjects, the images of each, and how age, gender and group show in them.

The labels overlap as in life, on purpose:
- the *drawn* age is the label plus the subject's ageing offset (normal, sd 4 years) plus the
  image's own offset (sd 2 years), so that no model can reach an MAE near 0;
- gender shifts a continuous masculinity score (means -1 and +1, sd .8 unless chosen otherwise) that
  sets jaw, brows, lips, beard, hair length and make-up; the two distributions overlap;
- race is one of four neutral groups, "group A" to "group D": shifts of the means of skin tone, hair
  colour and geometry that overlap continuously. They stand for no people.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from softbio.errors import UserError

from .appearance import Subject, draw_image, draw_subject, same_day
from .face import Face

AGES = (15, 95)
GROUPS = ("group A", "group B", "group C", "group D")
GROUP_SHARES = (0.4, 0.2, 0.2, 0.2)
SUBJECT_AGEING_SD = 4.0
IMAGE_AGEING_SD = 2.0
YEARS_BETWEEN_IMAGES_SD = 8.0
MASCULINITY_SD = 0.8


class Population(NamedTuple):
    """A drawn population: one row of `table` for each of `faces`, in the same order."""

    table: pd.DataFrame
    faces: list[Face]


def draw_population(
    subjects: int,
    images_per_subject: int,
    ages: tuple[int, int],
    seed: int,
    masculinity_sd: float = MASCULINITY_SD,
    one_session: bool = False,
) -> Population:
    """Draw `subjects` subjects with 1 to `images_per_subject` images each, aged `ages` (inclusive).

    masculinity_sd: within a gender. one_session: a subject's images are taken on one day, so that
    age, hair, glasses and make-up stay, and pose, light, expression, clothes and background change;
    otherwise years lie between them.

    The table's columns are image ("s00012_2_a34.png"), subject ("s00012"), age, gender and race.
    Each subject, and each image of one, has a random stream of its own: subject i is the same
    whatever the number of subjects. Ages are skewed towards the third decade of the range.

    Raises UserError for fewer than one subject or image, for ages reversed or not drawable, and for
    a negative spread.
    """
    _check(subjects, images_per_subject, ages)
    if not 0 <= masculinity_sd < np.inf:
        raise UserError(f"faces: masculinity_sd is {masculinity_sd}; it must be at least 0")
    rows: list[dict] = []
    faces: list[Face] = []
    for number in range(subjects):
        for row, face in _draw_one(
            number, images_per_subject, ages, seed, masculinity_sd, one_session
        ):
            rows.append(row)
            faces.append(face)
    table = pd.DataFrame(rows, columns=["image", "subject", "age", "gender", "race"])
    return Population(table, faces)


def _check(subjects: int, images_per_subject: int, ages: tuple[int, int]) -> None:
    if subjects < 1:
        raise UserError(f"faces: subjects is {subjects}; draw at least 1 subject")
    if images_per_subject < 1:
        raise UserError(f"faces: images_per_subject is {images_per_subject}; draw at least 1 image")
    first, last = ages
    if first > last:
        raise UserError(f"faces: ages {first}-{last} are reversed; write {last}-{first}")
    if first < AGES[0] or last > AGES[1]:
        raise UserError(
            f"faces: ages {first}-{last} cannot be drawn; choose ages within {AGES[0]}-{AGES[1]}"
        )


def _draw_one(
    number: int,
    images_per_subject: int,
    ages: tuple[int, int],
    seed: int,
    masculinity_sd: float,
    one_session: bool,
):
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    gender = "female" if rng.random() < 0.5 else "male"
    masculinity = rng.normal(1.0 if gender == "male" else -1.0, masculinity_sd)
    group = int(rng.choice(len(GROUPS), p=GROUP_SHARES))
    first_age = _skewed_age(rng, ages)
    offset = rng.normal(0, SUBJECT_AGEING_SD)
    images = int(rng.integers(1, images_per_subject + 1))
    subject: Subject = draw_subject(rng, masculinity, group)
    name = f"s{number:05d}"
    for image in range(images):
        own = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, 1 + image)))
        age = first_age if image == 0 else _another_age(own, first_age, ages)
        drawn_age = age + offset + own.normal(0, IMAGE_AGEING_SD)
        again = one_session and image > 0
        age = first_age if again else age
        row = {
            "image": f"{name}_{image}_a{age}.png",
            "subject": name,
            "age": age,
            "gender": gender,
            "race": GROUPS[group],
        }
        face = draw_image(own, subject, drawn_age)
        if image == 0:
            first = face
        yield row, same_day(face, first) if again else face


def _skewed_age(rng: np.random.Generator, ages: tuple[int, int]) -> int:
    first, last = ages
    return int(first + np.floor(rng.beta(1.3, 2.2) * (last - first + 1)))


def _another_age(rng: np.random.Generator, around: int, ages: tuple[int, int]) -> int:
    """An age some years from `around`, reflected at the ends of the range and never outside it."""
    first, last = ages
    age = around + round(rng.normal(0, YEARS_BETWEEN_IMAGES_SD))
    age = 2 * first - age if age < first else 2 * last - age if age > last else age
    return int(np.clip(age, first, last))
