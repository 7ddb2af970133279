"""What computes on the simulated GPU: `python -m tests.privacy.on_gpu WORK TRAINED PREY FOLDER`.

TRAINED, PREY: folders of the fixtures of these names. The work is done on the CPU and then on that
device; prints a `Result` as JSON.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

import softbio.engine.device
import softbio.engine.predict
import softbio.engine.train
from softbio.engine import rank_task
from softbio.engine.loop import Loop
from softbio.engine.recipe import Recipe
from softbio.engine.resume import read_state
from softbio.engine.stopping import Stopped
from softbio.methods import METHODS
from softbio.privacy.attack import AttackInputs, attack_condition
from softbio.privacy.attackers import denoiser, learning
from softbio.privacy.evidence import SanFiles
from softbio.privacy.judging.diversity import measure_diversity
from softbio.privacy.judging.panel import PanelInputs, open_panel
from softbio.privacy.judging.readers import batch_of
from softbio.privacy.judging.score import score
from softbio.privacy.protect import NetworkFiles, load_resources, protect_parts
from softbio.privacy.protectors import get_protector
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.training.originals import write_originals
from softbio.privacy.training.train_auxiliaries import train_auxiliary
from softbio.privacy.training.train_privacynet import PrivacyNetInputs, train_privacynet
from softbio.privacy.training.train_san import SanInputs, train_san
from tests.conftest import write_packed
from tests.privacy.sans import RECIPE, SIZE
from tests.privacy.test_privacynet import RECIPE as PRIVACYNET
from tests.processes import signal_self
from tests.simulated_gpu import GPU, NAME, simulated_gpu

DEVICE = f"{NAME}:0"


@dataclass
class Result:
    """epochs: how many were trained on the device; waits: how often each place made the CPU wait in
    them; same, other: files written on both, with the same bytes or others."""

    epochs: int
    waits: dict[str, int]
    same: list[str]
    other: list[str]


@dataclass(frozen=True)
class Given:
    """Folders of the fixtures, and the device."""

    trained: Path
    prey: Path
    device: str

    def __getitem__(self, name: str) -> Path:
        return self.trained / name

    @property
    def faces(self) -> tuple[Path, Path]:
        """The packed data set and its parts."""
        return self["packed"], self["parts.csv"]

    @property
    def matcher(self) -> Path:
        return self["matcher/network.safetensors"]


def ranks(given: Given, folder: Path) -> None:
    """Every method, weighted where it can be."""
    splits = ["train"] * 64 + ["valid"] * 16 + ["test"] * 20
    packed = write_packed(folder / "packed", splits, [n % 6 for n in range(100)], k=6, size=32)
    for method in METHODS:
        variant = "-weighted" if method in ("orcnn", "coral") else ""
        recipe = Recipe(
            *("noise", "small16", method, variant, 0),
            size=32,
            crop=28,
            epochs=2,
            batch=8,
            learning_rate=1e-3,
        )
        into = folder / method
        softbio.engine.train.train(recipe, packed, into, given.device)
        model, found = into / "model.safetensors", into / "predictions.parquet"
        softbio.engine.predict.predict(model, packed, found, given.device)


def interrupted(given: Given, folder: Path) -> None:
    """A training that streams its images, ends with its sixth batch of eight, and goes on."""
    # nothing is free, so that no image may stay there
    torch.cuda.mem_get_info = lambda device=None: (0, 0)
    splits = ["train"] * 64 + ["test"] * 20
    packed = write_packed(folder / "packed", splits, [n % 6 for n in range(84)], k=6, size=32)
    recipe = Recipe(
        *("noise", "small16", "coral", "", 0),
        size=32,
        crop=28,
        epochs=3,
        batch=8,
        learning_rate=1e-3,
    )
    step, calls = rank_task.step, []

    def signalled(*arguments):
        calls.append(1)
        if len(calls) == 14:
            signal_self()
        return step(*arguments)

    rank_task.step = signalled
    with contextlib.suppress(Stopped):
        softbio.engine.train.train(recipe, packed, folder, given.device)
    rank_task.step = step
    state = read_state(folder / "resume.pt")
    assert (state["cuda_random"] is None) == (given.device == "cpu")
    softbio.engine.train.train(recipe, packed, folder, given.device)
    assert json.loads((folder / "run.json").read_text())["resumed_at"] == [1]


def auxiliaries(given: Given, folder: Path) -> None:
    for kind in ("gender", "matcher"):
        recipe = AuxiliaryRecipe(*(kind, "faces", 0, SIZE), width=8, epochs=2, batch=8)
        train_auxiliary(recipe, *given.faces, folder / kind, given.device)


def san(given: Given, folder: Path) -> None:
    """Of warped prototypes, and behind another of a common one; both stages of training."""
    short = replace(RECIPE, pretrain_epochs=2, epochs=2)
    common = replace(short, prototype="global", pixel="cross_entropy", matching="sm_and_op")
    shared = folder / "originals.safetensors"
    write_originals(*given.faces, SIZE, given.matcher, "own", shared, given.device)
    for name, recipe in (("warped", short), ("global", common)):
        inputs = SanInputs(
            *given.faces,
            given["prototypes.npz"],
            given["gender/network.safetensors"],
            given.matcher,
            pairs=given["warped.npy"] if recipe.prototype == "warped" else None,
            originals=shared,
        )
        train_san(recipe, inputs, folder / name, given.device)


def privacynet(given: Given, folder: Path) -> None:
    inputs = PrivacyNetInputs(*given.faces, given.matcher)
    train_privacynet(replace(PRIVACYNET, epochs=2), inputs, folder, given.device)
    files = NetworkFiles(generator=folder / "network.safetensors")
    resources = load_resources(*given.faces, 3, given.device, files)
    for mode in ("g", "keep"):
        protect_parts("privacynet", mode, resources, folder / mode)


def protectors(given: Given, folder: Path) -> None:
    """All others that compute on the device."""
    network = given.prey / "san.safetensors"
    files = NetworkFiles(
        classifier=given["gender/network.safetensors"],
        san=network,
        prototypes=given["prototypes.npz"],
        pairs=given["warped.npy"],
        members=(network,) * 3,
    )
    resources = load_resources(*given.faces, 3, given.device, files)
    modes = {"none": "original", "blur": "sigma2", "pixelation": "block4", "gradient_sign": "eps8"}
    modes |= {"san": "op", "ensemble": "average", "flowsan": "stage3"}
    for name, mode in modes.items():
        protect_parts(name, mode, resources, folder / name, parts=("test",))


def judges(given: Given, folder: Path) -> None:
    """What this project trains, and how it differs."""
    own, condition = given.prey / "own", given.prey / "san/op"
    inputs = PanelInputs(networks=given.trained, own=own)
    panel = open_panel(get_protector("san"), "faces", inputs, given.device)
    score(condition, given.prey / "none/original", panel, folder / "scores", dataset="faces")
    networks = [given["gender/network.safetensors"]] * 2
    measure_diversity(condition, networks, folder / "diversity", given.device, "faces")


def attacks(given: Given, folder: Path) -> None:
    """All that know a SAN, each with an epoch or a few steps of training."""
    learning.schedule = lambda count, versions: (1, batch_of(count))
    denoiser.EPOCHS, denoiser.STEPS = 1, 4
    prey = given.prey
    known = given["packed/index.parquet"], given["prototypes.npz"], given["warped.npy"]
    modes = tuple(prey / "san" / mode for mode in ("sm", "nt", "op"))
    inputs = AttackInputs(
        prey / "san/op",
        prey / "none/original",
        prey / "own",
        modes,
        SanFiles(prey / "san.safetensors", *known),
    )
    attack_condition(inputs, folder, given.device)


WORKS: dict[str, Callable[[Given, Path], None]] = {
    work.__name__: work
    for work in (ranks, interrupted, auxiliaries, san, privacynet, protectors, judges, attacks)
}


def prepare() -> list[int]:
    """Let softbio take the device, and watch its epochs there; gives a list with one more entry for
    each."""
    ordinary, train_epoch, epochs = softbio.engine.device.choose_device, Loop.train_epoch, []

    def chosen(name: str = "auto") -> torch.device:
        return torch.device(name) if name == DEVICE else ordinary(name)

    def watched(loop: Loop) -> None:
        GPU.watched = loop.resume.device.type == NAME
        epochs.extend([1] * GPU.watched)
        try:
            train_epoch(loop)
        finally:
            GPU.watched = False

    for module in list(sys.modules.values()):
        if getattr(module, "choose_device", None) is ordinary:
            module.choose_device = chosen
    Loop.train_epoch = watched
    return epochs


def main(name: str, trained: str, prey: str, place: str) -> Result:
    """Do a work twice and compare."""
    torch.set_num_threads(1)
    folder, epochs = Path(place), prepare()
    with simulated_gpu() as gpu:
        for device in (DEVICE, "cpu"):
            given = Given(Path(trained), Path(prey), device)
            WORKS[name](given, folder / device.split(":")[0])
    result = Result(len(epochs), dict(gpu.waits), [], [])
    for path in sorted((folder / "cpu").rglob("*")):
        if path.suffix in (".npy", ".parquet", ".safetensors"):
            other = folder / NAME / path.relative_to(folder / "cpu")
            equal = other.read_bytes() == path.read_bytes()
            (result.same if equal else result.other).append(str(path.relative_to(folder / "cpu")))
    return result


if __name__ == "__main__":
    print(json.dumps(asdict(main(*sys.argv[1:]))))
