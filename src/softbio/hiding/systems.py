"""The systems of the family: which of their modes hide gender, and which one stands for each."""

from collections.abc import Callable, Iterable

from softbio.results.conditions import strength_of

SAN = "san"
# in the order in which they were published; whatever else there is stands beside them
SYSTEMS = (SAN, "ensemble", "flowsan", "privacynet")
# of PrivacyNet: those that hide gender, by the attributes that they hide; not its ablations
_WITH_GENDER = ("g", "ga", "gr", "gar")


def hides_gender(protector: str, mode: str) -> bool:
    """Whether a condition stands beside those that hide gender: of PrivacyNet as its mode says, of
    SAN also SM, for comparison. What a mode itself hides says `selectivity.hide_set`."""
    return protector != SYSTEMS[3] or mode in _WITH_GENDER


def _last(modes: list[str]) -> str:
    """The mode with the largest number."""
    return max(modes, key=lambda mode: strength_of(mode) or 0)


# a single member of an ensemble is a SAN, and the first stage of a series too
_COMPARED: dict[str, Callable[[str], bool]] = {
    SAN: lambda mode: mode in ("op", "nt"),
    SYSTEMS[1]: lambda mode: mode.startswith(("average", "random")),
    SYSTEMS[2]: lambda mode: (strength_of(mode) or 0) > 1,
    SYSTEMS[3]: lambda mode: mode in _WITH_GENDER,
}
_STANDS: dict[str, Callable[[list[str]], str | None]] = {
    SAN: lambda modes: "op" if "op" in modes else None,
    SYSTEMS[1]: lambda modes: next((m for m in modes if m.startswith("average")), None),
    SYSTEMS[2]: _last,
    SYSTEMS[3]: lambda modes: "g" if "g" in modes else None,
}


def compared_with_mixing(system: str, modes: Iterable[str]) -> list[str]:
    """The modes of a system, of those there are, that are held against face mixing."""
    return [mode for mode in modes if _COMPARED[system](mode)]


def representative(system: str, modes: list[str]) -> str | None:
    """The mode that stands for a system in a sentence: SAN's OP, the ensemble's average, the last
    stage of a series, PrivacyNet's that hides gender alone; None where it is not among `modes`."""
    return _STANDS[system](modes) if modes else None
