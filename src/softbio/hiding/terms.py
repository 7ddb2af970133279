"""The words of the half, explained once on the page: those that its conditions use."""

from softbio.hiding.load import NONE, Hiding

BEFORE = (
    "Before",
    "the grey face without protection",
)
SAN = (
    "SM, NT, OP",
    "SAN with the prototype (mean face) of the same gender, with the neutral mean of both, and "
    "with that of the opposite gender; OP is the protection",
)
# what the number behind a protector's name is
STRENGTHS = {
    "mixing": (
        "Face mixing, alpha",
        "the share of the face itself, in shape and texture, in a mix with a face of the other "
        "gender: 1 leaves the face as it is, a smaller one protects more",
    ),
    "gradient_sign": (
        "Gradient sign, eps",
        "the step of each pixel, in grey levels of 255, against the auxiliary classifier",
    ),
    "blur": ("Gaussian blur, sigma", "the standard deviation in pixels"),
    "ensemble": (
        "Ensemble, member",
        "one SAN of several that differ in their auxiliary classifiers; average: the mean of their "
        "faces; random: one of them for each face; all in the mode OP",
    ),
    "flowsan": (
        "FlowSAN, stage",
        "how many SANs a face passes one after the other, each trained on the output of those "
        "before it, all in the mode OP",
    ),
    "privacynet": (
        "PrivacyNet, hidden",
        "one network that is given for each face what to show: another value, drawn at random, of "
        "each hidden attribute, and the face's own value of the others; without matcher, without "
        "cycle: trained without the loss that keeps the identity, or the one for the way back to "
        "the face",
    ),
    "pixelation": ("Pixelation, block", "the side of a block in pixels"),
}
GENDER = (
    "EER of gender",
    "equal error rate: the error where as large a share of women is taken for men as of men for "
    "women. 50 % is chance. Above it the scores point the wrong way, and an attacker who notices "
    "inverts the decisions: that protects no better than an EER as far below 50 %. The separation, "
    "max(AUC, 1 − AUC), treats both alike (AUC: area under the ROC, the receiver operating "
    "characteristic)",
)
SELECTIVITY = (
    "Age group, race, balanced error",
    "years up to 30, 31 to 45 and over 45; the races as the data set's authors name them; the mean "
    "over the groups of the share of each that is taken for another",
)
MATCHING = (
    "FMR, TMR",
    "of comparisons of two images: the share of non-mated ones (two subjects) that match, false "
    "match rate, and of mated ones (one subject) that do, true match rate, 1 − FNMR (false "
    "non-match rate), as in ISO/IEC 19795-1:2021; EER of a matcher: where FMR and FNMR are equal",
)
SEEN = (
    "Auxiliary, own, seen, unseen",
    "auxiliary networks are those that a SAN is trained against; own evaluators are trained here "
    "on clean faces of other subjects; seen (*): used in making the protected faces, or in "
    "training what makes them; unseen: not",
)
ATTACKS = (
    "Zero effort, worst case",
    "the best reader that uses nothing of the protection: an unseen classifier, an image filter "
    "before one, or a reader fitted to clean faces, with decisions inverted where that helps "
    "(which an attacker has to know); the best of these and of all attacks. Both are chosen on the "
    "test faces themselves, so they are upper limits",
)


def terms(hiding: Hiding) -> list[tuple[str, str]]:
    """Term and explanation, in the order in which a reader meets them."""
    protectors = dict.fromkeys(c.protector for c in hiding.conditions if c.protector != NONE)
    found = [BEFORE] + [SAN] * ("san" in protectors)
    found += [STRENGTHS[name] for name in protectors if name in STRENGTHS]
    found += [GENDER] * bool(hiding.gender) + [SELECTIVITY] * bool(hiding.attributes)
    found += [MATCHING] * bool(hiding.matching)
    return [*found, SEEN] + [ATTACKS] * bool(hiding.attacks)
