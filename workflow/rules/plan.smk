# What the rules of privacy.smk depend on: paths, recipes, and the networks that a protector needs.
from softbio.privacy.family import (
    classifier_folder,
    judge_folder,
    member_folder,
    member_numbers,
    member_plan,
    stage_folder,
    stage_plan,
)
from softbio.privacy.plan import (
    PROTECTOR_NAME,
    canvas_side,
    check_evaluators,
    check_subjects,
    members,
    without_subjects,
)
from softbio.privacy.plan_recipe import plan_from, privacynet_plan
from softbio.privacy.privacynet_recipe import ABLATIONS
from softbio.sources import MATCHERS

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

MATCHER_NET = BENCHMARK.privacy.get("san", {}).get("matcher_net", "own")

with in_one_line():
    check_evaluators(BENCHMARK.hiding.evaluators, MATCHER_NET, REGISTERED)
    untold = [name for name, spec in DATASETS.items() if not spec.subjects]
    check_subjects(BENCHMARK.hiding, MATCHER_NET, untold)


wildcard_constraints:
    kind="gender|matcher",
    protector=PROTECTOR_NAME,
    mode=r"[a-z]+[\d.]*(-e[12]|-nomatcher|-nocycle)?",
    ablation="|".join(ABLATIONS),
    diversity="e[123]",
    member=r"[1-9]\d*",
    stage=r"[1-9]\d*",
    groups="told|age|race|age_race",
    reader="own_coral|own_race",


def plan_of(wildcards):
    """The recipes of the networks that the wildcards name."""
    known = BENCHMARK.privacy, wildcards.dataset, int(wildcards.get("seed", 0))
    with in_one_line():
        if member := wildcards.get("member"):
            return member_plan(*known, wildcards.diversity, int(member))
        if stage := wildcards.get("stage"):
            return stage_plan(*known, int(stage))
        return plan_from(*known)


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
    with in_one_line():
        return [find(DATASETS, name) for name in members(wildcards.dataset)]


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


def tells_subjects(wildcards):
    """Whether the training data have subjects: without them no matcher can be trained."""
    return specs_of(wildcards)[0].subjects


def check_matcher(wildcards):
    """Refuse to train a matcher without subjects."""
    if not tells_subjects(wildcards):
        raise WorkflowError(without_subjects(specs_of(wildcards)[0].name))


def auxiliary_params(wildcards):
    """The recipe as plain values: a change of one of them trains anew."""
    if wildcards.kind == "matcher":
        check_matcher(wildcards)
    return asdict(getattr(plan_of(wildcards), wildcards.kind))


def san_params(wildcards):
    """The recipe of the SAN as plain values."""
    return asdict(plan_of(wildcards).san)


def privacynet_of(wildcards):
    """The recipe of the PrivacyNet that the wildcards name."""
    seed, ablation = int(wildcards.seed), wildcards.ablation
    with in_one_line():
        return privacynet_plan(BENCHMARK.privacy, wildcards.dataset, seed, ablation)


def privacynet_params(wildcards):
    """The same as plain values."""
    return asdict(privacynet_of(wildcards))


def network_file(wildcards, folder):
    """A network of the seed that the wildcards name."""
    home = NETWORK.format(dataset=wildcards.dataset, seed=wildcards.seed)
    return f"{home}/{folder}/network.safetensors"


def matcher_of(wildcards):
    """The file of an own matcher in the loss; registry, receipt and sources of another."""
    name = matcher_in_loss(wildcards)
    if name == "own":
        return {"matcher": network_file(wildcards, "matcher")}
    return used_files(name) | {"matchers": code(*MATCHERS)}


def judges_of(wildcards):
    """The networks that a SAN is trained against: a member or stage has a classifier of its own."""
    san = "san"
    if member := wildcards.get("member"):
        san = f"{member_folder(wildcards.diversity, int(member))}/san"
    elif stage := wildcards.get("stage"):
        san = stage_folder(int(stage))
    classifier = network_file(wildcards, judge_folder(san))
    return {"classifier": classifier} | matcher_of(wildcards)


def embedded_for(wildcards):
    """The embeddings of the original faces by the matcher in the loss of a SAN or a PrivacyNet,
    where that loss has one: by a matcher of the registry once for all seeds."""
    plan, ablated = plan_of(wildcards), "ablation" in wildcards.keys()
    weight = privacynet_of(wildcards).matching if ablated else plan.san.matching_weight
    if not weight:
        return {}
    own = plan.san.matcher_net == "own"
    maker = rules.embed_originals_of_seed if own else rules.embed_originals
    return {"originals": maker.output.embeddings.format(**wildcards)}


def size_of_san(wildcards):
    """The side of the faces in pixels."""
    return plan_of(wildcards).san.size


def matcher_in_loss(wildcards):
    """The matcher that the SAN is trained against: "own", or a name of the registry."""
    return plan_of(wildcards).san.matcher_net


def stages_before(wildcards):
    """The networks of the stages before a stage."""
    stages = range(1, int(wildcards.stage))
    return [network_file(wildcards, stage_folder(stage)) for stage in stages]


def prototypes_of(wildcards):
    """The prototypes that the recipe asks for, by the names of the arguments that take them."""
    return prototypes_for(wildcards.dataset, plan_of(wildcards).san)


def prototypes_for(dataset, recipe):
    """The same of a SAN's recipe."""
    folder = HIDING.format(dataset=dataset)
    by = "" if recipe.groups == "gender" else f"-{recipe.groups}"
    files = {"prototypes": f"{folder}/prototypes{by}.npz"}
    if recipe.prototype == "warped":
        files["pairs"] = f"{folder}/warped{by}.npy"
    return files


def networks_of(wildcards):
    """The files that a protector needs, by the names of the arguments that take them."""
    # torch takes seconds to import: only where something is to be protected
    from softbio.privacy.protectors import get_protector

    kinds = {"classifier": "gender", "san": "san"}
    try:
        protector = get_protector(wildcards.protector)
        # a misspelt mode is refused now, not after its networks are trained
        if protector.check is not None:
            protector.check(wildcards.mode)
        needs = protector.needs
        files = {
            need: network_file(wildcards, kinds[need])
            for need in needs
            if need in kinds
        }
        if "members" in needs:
            count = len(member_numbers(BENCHMARK.privacy))
            folders = protector.networks(wildcards.mode, count)
            files["members"] = [network_file(wildcards, folder) for folder in folders]
        if "generator" in needs:
            (folder,) = protector.networks(wildcards.mode, 1)
            files["generator"] = network_file(wildcards, folder)
    except UserError as error:
        raise WorkflowError(f"{wildcards.protector}: {error}") from None
    plan = plan_of(wildcards)
    if "members" in needs:
        plan = stage_plan(BENCHMARK.privacy, wildcards.dataset, int(wildcards.seed), 1)
    if {"san", "members"} & set(needs):
        files |= prototypes_for(wildcards.dataset, plan.san)
    return files
