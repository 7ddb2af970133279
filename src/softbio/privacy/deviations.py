"""Where this differs from the talk, the papers and the released code of SAN, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from softbio.privacy.recipe import VARIANTS
from softbio.results.names import joined


@dataclass(frozen=True)
class Deviation:
    """source: what is deviated from; theirs, ours: what each does; why."""

    source: str
    theirs: str
    ours: str
    why: str


def variants(fits: Callable[[Mapping[str, Any]], bool]) -> str:
    """Names of the variants whose values fit: "'a', 'b' and 'c'"."""
    return joined([f"'{name}'" for name, each in VARIANTS.items() if fits(each.values)])


CODE = "released code (iPRoBe-lab/semi-adversarial-networks)"
# the papers' full texts were not available
RECALLED = "recalled, not checked"

DEVIATIONS = (
    Deviation(
        CODE,
        "mirrors a face at random, but not the prototypes that were warped to it",
        "mirrors both, or neither",
        "half of its training pairs are misaligned",
    ),
    Deviation(
        CODE,
        "compares the mean of the embeddings of SM and OP with the original's",
        "SM alone, as the talk; in the variant 'released' the mean of the two squared distances",
        "in the mean of two embeddings errors of opposite sign cancel",
    ),
    Deviation(
        CODE,
        "sums the matching term over the batch and weights it by 8",
        "the mean over the batch; 64 in the variant 'released', which equals it at its batch of 8",
        "the weight would depend on the batch size",
    ),
    Deviation(
        CODE,
        "VGG-Face as the auxiliary matcher",
        "any frozen matcher with embeddings of length 1; a small one of our own for drawn faces",
        "no package contains VGG-Face",
    ),
    Deviation(
        CODE,
        "no pre-training; L1 in all epochs",
        "variants 'talk' (J_D in pre-training alone) and 'released' (as released)",
        "talk and code differ",
    ),
    Deviation(
        CODE,
        "random crops of 224 px out of larger images",
        "the whole aligned face",
        "packed faces have the size of the network",
    ),
    Deviation(
        CODE,
        "one aligned prototype file a face, made by means that are not released",
        "the mean of a gender's faces, its mean landmarks moved to the face's over Delaunay "
        "triangles; or the global means, as the public re-implementation has it",
        "their picture shows such a warp; the choice is in the recipe",
    ),
    Deviation(
        f"public re-implementation, and the paper ({RECALLED})",
        "the neutral prototype weights both genders by their shares",
        "the plain mean, or the shares: `neutral` in the recipe",
        "with the mean X'_NT is the exact midpoint of the logits of X'_SM and X'_OP",
    ),
    Deviation(
        CODE,
        "the average over 7 x 7 places at the end of the gender classifier, at 224 px",
        "the average over what places there are",
        "the classifier fits other sizes; at 224 px they are the same",
    ),
    Deviation(
        CODE,
        "224 px, bottleneck of 12 channels at 1/4 of the side, decoder of 256 and 128 channels",
        "shapes 'px64' and 'px112' beside the published one: one pooling, undone before the last "
        "convolution, and narrower decoders",
        "enlarged behind it, as published, a face comes in blocks of 2 x 2 pixels; at small sides "
        "the published bottleneck loses the face; the decoder takes most of the time",
    ),
    Deviation(
        "talk",
        "does not say when pre-training ends",
        "after the first epoch that reaches the recipe's PSNR, or its last one, with a warning",
        "what a blurred reconstruction loses would count as protection",
    ),
    Deviation(
        "talk",
        "J_D is used in pre-training alone",
        f"variants {variants(lambda v: 0 < v.get('pixel_weight', 0) < 1)} keep it, with a small "
        "weight; 'talk' does not",
        "a weak matcher alone does not hold the face together",
    ),
    Deviation(
        "talk",
        "names no rate of learning",
        f"in the variants {variants(lambda v: v.get('combiner_rate') == 3)} 3 times as high for "
        "the 1x1 convolution as for the autoencoder",
        "only the convolution knows the mode: where it learns as slowly as the rest, textures that "
        "harm all modes alike come first",
    ),
    Deviation(
        "ensemble (the talk's Figure 4)",
        "prototypes of eight groups: young or old, male or female, and two by skin",
        "by gender, and by age (old above the median of the training faces, or as the data set "
        "says) and the data set's groups where every face that is learnt from or protected has "
        "one",
        "CelebA has young or old and no skin, LFW neither, so from one to the other gender alone "
        "divides; drawn faces have four groups",
    ),
    Deviation(
        "ensemble (the talk's Figure 5)",
        "random subsets of the samples are duplicated; how large they are our sources do not say",
        "half of the faces, drawn for each member, come twice: `duplicated` in the recipe",
        "some share has to be chosen",
    ),
    Deviation(
        "ensemble",
        "oversamples an underrepresented group of people",
        "brings every group and gender to the size of the largest by draws with replacement, other "
        "ones for each member",
        "which group lacks faces differs from data set to data set",
    ),
    Deviation(
        "FlowSAN",
        "in our sources it is open whether a stage rebuilds the original or what it took",
        "J_D towards the original; `target` in the recipe has both. J_M is always of the original",
        "what one stage has lost, the next may bring back",
    ),
    Deviation(
        "PrivacyNet",
        f"colour images, as StarGAN, on which it builds ({RECALLED})",
        "grey faces, as all systems here",
        "evaluators and matching see the same of all systems; the networks take either",
    ),
    Deviation(
        "PrivacyNet (StarGAN's code)",
        "running statistics in the instance norms, used when a face is changed",
        "each face's own statistics, in training and in use",
        "the network in use is the one that was trained, and a face does not depend on others",
    ),
    Deviation(
        "PrivacyNet (StarGAN's code)",
        "binary cross-entropy of the whole label vector, an attribute of several values by masks",
        "softmax cross-entropy of each attribute over its values, the mean over the faces that "
        "have it",
        "a face shows one value of each; data sets give only some attributes of some faces",
    ),
    Deviation(
        "PrivacyNet (StarGAN's code)",
        "the rate falls every 1,000 steps over the second half of the training",
        "it falls every epoch; `decay` in the recipe is the share",
        "an epoch is what the loop of all trainings counts",
    ),
    Deviation(
        f"PrivacyNet ({RECALLED})",
        "a hidden attribute becomes another class; which of several our sources do not say",
        "drawn from the others, each as likely, in use by the seed and the face's row alone",
        "a fixed next class could be reversed by anybody who knows it",
    ),
    Deviation(
        "PrivacyNet",
        "weights of its losses are in none of our sources",
        "variant 'published': StarGAN's 1, 10 and 10 for attributes, cycle and gradient penalty, "
        "and 1 for the matcher",
        "some weight has to be chosen; what was not measured is said to be so",
    ),
    Deviation(
        "PrivacyNet (StarGAN's code)",
        "a generator that draws the face anew, 64 channels and 6 blocks at 128 px",
        "shapes 'slim', 'tiny5' and 'tiny' beside it: narrower, and what they give is a change of "
        "the face, added before the tanh",
        "in the few hundred steps of a CPU a face is not learnt anew",
    ),
    Deviation(
        f"Othman and Ross ({RECALLED})",
        "manual landmarks (76 in MUCT); a mate chosen from a small set",
        "68 landmarks and 8 points of the border; a mate of the opposite gender drawn at random, "
        "once: by the first seed, whose faces are used for all seeds",
        "the landmarks that all of our data sets can have; our sources do not give the choice",
    ),
)
