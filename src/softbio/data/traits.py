"""What the labels of a data set are: ages in years, or gender where no ages are known.

`ages` is the first and the last age, so that rank 0 is the first; or None, and then there are two
ranks, those of `GENDERS`. So every method, loop and file knows one kind of label, a rank 0..K-1.
"""

Ages = tuple[int, int] | None

GENDERS = ("female", "male")


def trait_of(ages: Ages) -> str:
    """ "age" or "gender"."""
    return "gender" if ages is None else "age"


def rank_count(ages: Ages) -> int:
    """Number of ranks K."""
    return len(GENDERS) if ages is None else ages[1] - ages[0] + 1


def rank_name(ages: Ages, rank: int) -> str:
    """A rank in words: "23" of ages, "male"."""
    return GENDERS[rank] if ages is None else str(ages[0] + rank)
