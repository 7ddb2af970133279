# What the rules of privacy.smk depend on: paths, recipes, and the networks that a protector needs.
from softbio.privacy.recipe import plan_from

HIDING = f"{RESULTS}/privacy/{{dataset}}"
NETWORK = f"{HIDING}/seed{{seed}}/networks"


wildcard_constraints:
    kind="gender|matcher",
    protector="[a-z_]+(?<!networks)",
    mode=r"[a-z]+[\d.]*",


def plan_of(wildcards):
    """The recipes of the networks that the wildcards name."""
    return plan_from(
        BENCHMARK.privacy, wildcards.dataset, int(wildcards.get("seed", 0))
    )


def packed_for_privacy(wildcards):
    """The packed data set at the size of the config's SAN."""
    return packed_files(wildcards.dataset, plan_of(wildcards).san.size)


def auxiliary_params(wildcards):
    """The recipe as plain values: a change of one of them trains anew."""
    return asdict(getattr(plan_of(wildcards), wildcards.kind))


def san_params(wildcards):
    """The same of the SAN."""
    return asdict(plan_of(wildcards).san)


def prototypes_of(wildcards):
    """The prototypes that the recipe asks for, by the names of what takes them."""
    folder = HIDING.format(dataset=wildcards.dataset)
    files = {"prototypes": f"{folder}/prototypes.npz"}
    if plan_of(wildcards).san.prototype == "warped":
        files["pairs"] = f"{folder}/warped.npy"
    return files


def networks_of(wildcards):
    """What a protector works with, by the names of what takes them."""
    # torch takes seconds to import: only where something is to be protected
    from softbio.privacy.protectors import get_protector

    try:
        needs = get_protector(wildcards.protector).needs
    except UserError as error:
        raise WorkflowError(str(error)) from None
    folder = NETWORK.format(dataset=wildcards.dataset, seed=wildcards.seed)
    kinds = {"classifier": "gender", "san": "san"}
    files = {need: f"{folder}/{kinds[need]}/network.safetensors" for need in needs}
    return files | (prototypes_of(wildcards) if "san" in needs else {})
