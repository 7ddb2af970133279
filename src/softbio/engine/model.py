"""A backbone with a method's head, and its weights on disk."""

import copy
import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from softbio.backbones.networks import build_backbone
from softbio.data.traits import Ages, rank_count
from softbio.engine.recipe import Recipe, recipe_from
from softbio.errors import UserError
from softbio.files import atomic
from softbio.methods import get_method


def build_model(recipe: Recipe, k: int) -> nn.Sequential:
    """Backbone and head for K ranks with fresh weights, from torch's global random state.

    Input float (N, 3, crop, crop); output as the method defines it.
    """
    backbone, features = build_backbone(recipe.backbone, recipe.crop)
    model = nn.Sequential()
    model.add_module("backbone", backbone)
    model.add_module("head", get_method(recipe.method).head(features, k, recipe.bias))
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    return model.to(memory_format=layout)


def forward(model: nn.Module, images: Tensor, recipe: Recipe) -> Tensor:
    """The model's output in float32, under the recipe's precision and memory layout."""
    if not recipe.channels_last:
        images = images.contiguous()
    reduced = recipe.precision == "bf16"
    with torch.autocast(images.device.type, torch.bfloat16, enabled=reduced):
        return model(images).float()


class _OneValue(Exception):
    """A batch norm has seen one value a channel."""


def needs_two_images(model: nn.Module, crop: int) -> bool:
    """Whether a single image of `crop` px leaves a batch norm one value a channel in training,
    which torch refuses. Model and random state stay as they are."""

    def look(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].numel() == inputs[0].shape[1]:
            raise _OneValue

    probe = copy.deepcopy(model).to("cpu").train()
    for module in probe.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.register_forward_pre_hook(look)
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            probe(torch.zeros(1, 3, crop, crop))
    except _OneValue:
        return True
    return False


def compiled(model: nn.Module, recipe: Recipe) -> nn.Module:
    """The same model, sharing its weights, behind torch.compile where the recipe asks for it.

    One shape is compiled for: give it nothing but full batches.
    """
    if not recipe.compile:
        return model
    return torch.compile(model, dynamic=False, options={"deterministic": True})


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all weights and buffers on the CPU."""
    return {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in model.state_dict().items()
    }


def save_models(
    path: Path, recipe: Recipe, ages: Ages, models: dict[str, dict[str, Tensor]]
) -> None:
    """Write the weights of each selection ("last", "best") into one safetensors file."""
    from safetensors.torch import save_file

    tensors = {
        f"{selection}/{name}": tensor
        for selection, weights in models.items()
        for name, tensor in weights.items()
    }
    # one entry: of several the file would have them in any order, and equal runs unequal files
    about = {"about": json.dumps({"recipe": asdict(recipe), "ages": ages})}
    with atomic(path) as part:
        save_file(tensors, part, metadata=about)


def load_models(path: Path) -> tuple[Recipe, Ages, dict[str, nn.Sequential]]:
    """Recipe, ages (None: the trait is gender) and the ready models by selection from a file of
    `save_models`.

    Raises UserError where the file is not one.
    """
    from safetensors import SafetensorError, safe_open

    models: dict[str, nn.Sequential] = {}
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["about"])
            recipe = recipe_from(about["recipe"])
            # a list in JSON, or null
            ages = (told := about["ages"]) and (int(told[0]), int(told[1]))
            names = sorted(file.keys())
            for selection in sorted({name.split("/")[0] for name in names}, reverse=True):
                prefix = f"{selection}/"
                weights = {
                    name.removeprefix(prefix): file.get_tensor(name)
                    for name in names
                    if name.startswith(prefix)
                }
                models[selection] = build_model(recipe, rank_count(ages))
                models[selection].load_state_dict(weights)
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not a model of this version ({reason}); train again") from None
    return recipe, ages, models
