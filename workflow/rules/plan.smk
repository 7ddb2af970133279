# What the rules of privacy.smk depend on: paths, recipes, and the networks that a protector needs.
from softbio.evaluators.registry import load_evaluators
from softbio.privacy.plan import canvas_side, check_evaluators, members
from softbio.privacy.recipe import plan_from

FACES = "resources/faces/{dataset}/{size}"
HIDING = f"{RESULTS}/privacy/{{dataset}}"
NETWORK = f"{HIDING}/seed{{seed}}/networks"
POPULATION = BENCHMARK.hiding.population
CONDITIONS, ATTACKED = (
    [
        f"{HIDING.format(dataset=POPULATION)}/{condition.folder}"
        for condition in BENCHMARK.hiding.conditions(attacked)
    ]
    for attacked in (False, True)
)

try:
    check_evaluators(
        BENCHMARK.hiding.evaluators,
        BENCHMARK.privacy.get("san", {}).get("matcher_net", "own"),
        load_evaluators(EVALUATORS),
    )
except UserError as error:
    raise WorkflowError(str(error)) from None


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
    """The faces of the population at the size of the config's SAN."""
    folder = FACES.format(dataset=wildcards.dataset, size=plan_of(wildcards).san.size)
    names = {"images": "images.npy", "index": "index.parquet", "card": "card.json"}
    return {what: f"{folder}/{name}" for what, name in names.items()}


def card_of_population(wildcards):
    """Its card, at the size of the config's SAN."""
    return packed_for_privacy(wildcards)["card"]


def specs_of(wildcards):
    """The registry's entries of the data sets that the population is made of."""
    try:
        return [find(DATASETS, name) for name in members(wildcards.dataset)]
    except UserError as error:
        raise WorkflowError(str(error)) from None


def aligned_for(wildcards):
    """Their aligned faces, large enough for the size that is asked for."""
    side = canvas_side(int(wildcards.size))
    folders = [
        ALIGNED.format(dataset=spec.name, side=side) for spec in specs_of(wildcards)
    ]
    names = ("images.npy", "index.parquet", "rejected.csv")
    return [f"{folder}/{name}" for folder in folders for name in names]


def entries_of(wildcards):
    """Their entries as plain values."""
    return [asdict(spec) for spec in specs_of(wildcards)]


def auxiliary_params(wildcards):
    """The recipe as plain values: a change of one of them trains anew."""
    return asdict(getattr(plan_of(wildcards), wildcards.kind))


def san_params(wildcards):
    """The same of the SAN."""
    return asdict(plan_of(wildcards).san)


def judges_of(wildcards):
    """The networks that the SAN is trained against; a matcher of the registry lies with its receipt."""
    folder = NETWORK.format(dataset=wildcards.dataset, seed=wildcards.seed)
    judges = {"classifier": f"{folder}/gender/network.safetensors"}
    if plan_of(wildcards).san.matcher_net == "own":
        return judges | {"matcher": f"{folder}/matcher/network.safetensors"}
    return judges | {"receipt": RECEIPT, "registry": EVALUATORS}


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
        protector = get_protector(wildcards.protector)
        # a misspelt mode is told now, not after its networks are trained
        if protector.check is not None:
            protector.check(wildcards.mode)
    except UserError as error:
        raise WorkflowError(f"{wildcards.protector}: {error}") from None
    needs = protector.needs
    folder = NETWORK.format(dataset=wildcards.dataset, seed=wildcards.seed)
    kinds = {"classifier": "gender", "san": "san"}
    files = {need: f"{folder}/{kinds[need]}/network.safetensors" for need in needs}
    return files | (prototypes_of(wildcards) if "san" in needs else {})
