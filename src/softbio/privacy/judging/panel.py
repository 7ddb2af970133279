"""The panel: all evaluators of one condition's faces, behind one interface, and those absent."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from softbio.engine.device import choose_device
from softbio.errors import UserError
from softbio.evaluators.crop import FRAME, LUMA, constant, parts
from softbio.evaluators.hog_linear import open_hog
from softbio.evaluators.interface import (
    KINDS,
    AgeEstimator,
    ClassReader,
    GenderClassifier,
    Matcher,
    open_evaluator,
)
from softbio.evaluators.own import open_cnn, own_spec
from softbio.evaluators.registry import EvaluatorSpec, find_evaluator, load_evaluators
from softbio.privacy.judging.own_attributes import READERS, open_reader
from softbio.privacy.models.weights import load_network
from softbio.privacy.protectors.base import Protector
from softbio.privacy.recipe import AuxiliaryRecipe

logger = logging.getLogger(__name__)

NETWORK = "network.safetensors"
NO_SUBJECTS = "the faces that it would learn from have no subjects"
AUXILIARY = {
    "aux_gender": ("Auxiliary CNN", "gender"),
    "aux_matcher": ("Auxiliary matcher", "matcher"),
}
# title, kind, and the file in the folder of that name
OWN = {
    "own_cnn": ("Own CNN", "gender", "model.safetensors"),
    "hog_linear": ("HOG and logistic regression", "gender", "weights.npz"),
    "own_matcher": ("Own matcher", "matcher", NETWORK),
}
Judge = GenderClassifier | Matcher | AgeEstimator | ClassReader


@dataclass(frozen=True)
class Member:
    """An evaluator at work. kind: "gender", "matcher", "age" or "race"; seen: whether training the
    protector, or the protector itself, uses it; device: where its network computes."""

    name: str
    title: str
    kind: str
    evaluator: Judge
    seen: bool = False
    device: torch.device | str = "cpu"

    @property
    def threshold(self) -> float:
        """A gender classifier's own, as shipped."""
        given = self.evaluator.spec.output.threshold
        return 0.5 if given is None else given

    def answers(self, faces: np.ndarray) -> np.ndarray:
        """P(male), years or numbers of classes float32 (N,), or embeddings float32 (N, D), of uint8
        (N, S, S, 3) faces that show the square FRAME."""
        with torch.inference_mode():
            batches = (self.evaluator(part.to(self.device), FRAME) for part in parts(faces))
            return np.concatenate([batch.cpu().numpy() for batch in batches])


@dataclass(frozen=True)
class Absent:
    """An evaluator that was wanted and cannot judge, and why."""

    evaluator: str
    title: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Panel:
    """Those that judge, and those that were wanted and cannot."""

    members: tuple[Member, ...]
    absent: tuple[Absent, ...] = ()

    def of(self, *kinds: str) -> tuple[Member, ...]:
        """Those of some kinds, such as the matchers."""
        return tuple(member for member in self.members if member.kind in kinds)


@dataclass(frozen=True)
class Registered:
    """Third-party evaluators that are wanted: names, of the registry `specs`, in order of
    preference; folder: where `fetch_evaluators` put them, with its receipt."""

    names: Sequence[str] = ()
    specs: Mapping[str, EvaluatorSpec] = field(default_factory=dict)
    folder: Path = Path()


def registered(names: Sequence[str], registry: Path | None, receipt: Path | None) -> Registered:
    """What is wanted of a registry's file; nothing without a file. Raises UserError for a file that
    is no registry."""
    if registry is None or receipt is None:
        return Registered()
    return Registered(tuple(names), load_evaluators(registry), receipt.parent)


class OnGrey(nn.Module):
    """An auxiliary network behind the interface of evaluators: RGB float (N, 3, S, S) in 0..1 ->
    P(male) (N,) or embeddings (N, D)."""

    def __init__(self, network: nn.Module, kind: str) -> None:
        super().__init__()
        self.network, self.kind = network, kind

    def forward(self, x: Tensor) -> Tensor:
        answer = self.network((x * constant(LUMA, x).view(3, 1, 1)).sum(1, keepdim=True))
        return answer.softmax(1)[:, 1] if self.kind == "gender" else answer


def open_auxiliary(path: Path, name: str, title: str, kind: str) -> Judge:
    """A network of `train_auxiliary` as a gender classifier or matcher.

    Raises UserError for a file of anything else, or of the other kind.
    """
    recipe, network = load_network(path, AuxiliaryRecipe)
    if recipe.kind != kind:
        raise UserError(f"{path}: a {recipe.kind} network; a {kind} network is needed")
    spec = own_spec(
        name,
        title,
        size=recipe.size,
        scale=255,
        kind=kind,
        architecture="auxiliary",
        provenance=f"trained here, on the part '{recipe.part}'",
        crop=FRAME,
    )
    return KINDS[kind](spec, OnGrey(network, kind))


def seen_by(protector: Protector, matcher_net: str = "own") -> frozenset[str]:
    """Names of the evaluators that a protector, or its training, works with.

    matcher_net: the matcher in the loss of a SAN or a PrivacyNet, as `SanRecipe` names it.
    """
    seen = set()
    if "classifier" in protector.needs:
        seen.add("aux_gender")
    # of its classifiers an ensemble has one like the auxiliary one, from equal initial weights
    if {"san", "members"} & set(protector.needs):
        seen |= {"aux_gender", "aux_matcher" if matcher_net == "own" else matcher_net}
    # it reads attributes by a head of its own; its ablation without the matcher counts as the rest
    if "generator" in protector.needs:
        seen.add("aux_matcher" if matcher_net == "own" else matcher_net)
    return frozenset(seen)


Opened = Iterator[Member | Absent]


@dataclass(frozen=True)
class PanelInputs:
    """Where the evaluators of a condition are.

    networks: folder of the auxiliary networks of the condition's seed; own: folder of the own
    evaluators; third: those of third parties; matcher_net: as `seen_by`; subjects: whether the
    faces that are learnt from have subjects, without which no matcher is trained.
    """

    networks: Path
    own: Path
    third: Registered = field(default_factory=Registered)
    matcher_net: str = "own"
    subjects: bool = True


def open_panel(
    protector: Protector, dataset: str, inputs: PanelInputs, device: str = "auto"
) -> Panel:
    """All evaluators of one condition; one that cannot judge is listed as absent.

    protector: of the condition; dataset: whose faces are judged. Raises UserError for a name that
    is not in the registry, or that judges no face.
    """
    seen, place = seen_by(protector, inputs.matcher_net), choose_device(device)
    third = inputs.third
    found = [*_trained(inputs), *_third_party(third, dataset)]
    # what is the same net as one that was seen is not unseen either
    nets = seen | {spec.net for name, spec in third.specs.items() if name in seen}
    absent = tuple(entry for entry in found if isinstance(entry, Absent))
    for entry in absent:
        logger.warning("%s does not judge: %s", entry.evaluator, entry.reason)
    members = [entry for entry in found if isinstance(entry, Member)]
    return Panel(tuple(_placed(member, nets, place) for member in members), absent)


def _placed(member: Member, seen: frozenset[str], place: torch.device) -> Member:
    """The member at its place: what is no module of torch stays on the CPU."""
    evaluator = member.evaluator
    if not isinstance(evaluator.network, nn.Module):
        return replace(member, seen=evaluator.spec.net in seen)
    evaluator.network.to(place)
    return replace(member, seen=evaluator.spec.net in seen, device=place)


def _opened(name: str, title: str, kind: str, opened: Callable[[], Judge]) -> Member | Absent:
    try:
        return Member(name, title, kind, opened())
    except UserError as error:
        return Absent(name, title, kind, str(error))
    except ImportError as error:
        return Absent(name, title, kind, f"{error.name or 'a package'} is not installed here")


def _trained(inputs: PanelInputs) -> Opened:
    """Auxiliary networks, then own evaluators."""
    own, subjects = inputs.own, inputs.subjects
    for name, (title, kind) in AUXILIARY.items():
        about = (name, title, kind)
        if kind == "matcher" and not subjects:
            yield Absent(*about, NO_SUBJECTS)
        elif kind == "gender" or inputs.matcher_net == "own":
            path = inputs.networks / kind / NETWORK
            yield _opened(*about, partial(open_auxiliary, path, *about))
    readers = {"own_cnn": open_cnn, "hog_linear": open_hog}
    for name, (title, kind, file) in OWN.items():
        about, path = (name, title, kind), own / name / file
        if kind == "matcher" and not subjects:
            yield Absent(*about, NO_SUBJECTS)
        elif name in readers:
            yield _opened(*about, partial(readers[name], path))
        else:
            yield _opened(*about, partial(open_auxiliary, path, *about))
    for name, reader in READERS.items():
        opened = partial(open_reader, own / name, name)
        yield _opened(name, reader.title, reader.attribute, opened)


def _third_party(wanted: Registered, dataset: str) -> Opened:
    # a net may give gender and age: that is one witness of each
    nets: dict[tuple[str, bool], str] = {}
    receipt = _receipt(wanted.folder)
    for name in dict.fromkeys(wanted.names):
        spec = find_evaluator(wanted.specs, name)
        if spec.kind not in KINDS:
            raise UserError(f"evaluator '{name}' is a {spec.kind}: it judges no face; drop it")
        about, net = (name, spec.title, spec.kind), (spec.net, spec.kind == "age")
        if dataset in spec.trained_on:
            yield Absent(*about, f"it was trained on {dataset}")
        elif net in nets:
            yield Absent(*about, f"it is the same net as {nets[net]}, which judges already")
        else:
            entry = _opened(*about, partial(open_evaluator, spec, wanted.folder))
            if isinstance(entry, Member):
                nets[net] = spec.title
            elif receipt.get(name):
                # why it could not be fetched says more than that its file is missing
                entry = Absent(*about, receipt[name])
            yield entry


def _receipt(folder: Path) -> dict[str, str]:
    """Why evaluators could not be fetched, by name; empty without a receipt."""
    try:
        entries = json.loads((folder / "receipt.json").read_text())
        return {name: str(entry["reason"]) for name, entry in entries.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
