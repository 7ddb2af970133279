# own evaluators -> scores: who judges protected faces, and what they say of each condition.
# snakemake results/quick/privacy/faces/seed0/san/op/scores
from softbio.privacy.recipe import own_matcher_recipe
from softbio.sources import PRIVACY, TRAINING

CONDITION = f"{HIDING}/seed{{seed}}/{{protector}}/{{mode}}"
OWN = f"{HIDING}/evaluators"
UNPROTECTED = "none/original"


def own_matcher_params(wildcards):
    """The recipe as plain values: the auxiliary matcher's, of other subjects."""
    return asdict(own_matcher_recipe(plan_of(wildcards).matcher))


def tested_in(wildcards):
    """The data set whose faces are judged: of a population of two the second."""
    return members(wildcards.dataset)[-1]


def matcher_in_loss(wildcards):
    """The matcher that the SAN is trained against: "own", or a name of the registry."""
    return plan_of(wildcards).san.matcher_net


def third_parties(wildcards):
    """Names of the third-party evaluators: the config's, and a matcher that the SAN's loss uses."""
    names = list(BENCHMARK.hiding.evaluators)
    used = matcher_in_loss(wildcards)
    return names if used in ("own", *names) else [*names, used]


def receipt_for(wildcards):
    """The receipt of third-party evaluators, where any are asked for, and their registry."""
    asked = third_parties(wildcards)
    return {"receipt": RECEIPT, "registry": EVALUATORS} if asked else {}


def auxiliaries_for(wildcards):
    """The auxiliary networks of the condition's seed; no matcher where the SAN's loss has another."""
    folder = NETWORK.format(dataset=wildcards.dataset, seed=wildcards.seed)
    own = matcher_in_loss(wildcards) == "own"
    kinds = ("gender", "matcher") if own else ("gender",)
    return [f"{folder}/{kind}/network.safetensors" for kind in kinds]


def originals_for(wildcards):
    """The unprotected faces of the same seed and their embeddings; none for those themselves."""
    if f"{wildcards.protector}/{wildcards.mode}" == UNPROTECTED:
        return {}
    home = HIDING.format(dataset=wildcards.dataset)
    folder = f"{home}/seed{wildcards.seed}/{UNPROTECTED}"
    files = {
        "original": f"{folder}/images.npy",
        "original_index": f"{folder}/index.parquet",
    }
    return files | {"original_scores": f"{folder}/scores"}


def pair_list_for(wildcards):
    """What the authors' pair list of the tested data set is read with, where it has one."""
    name = tested_in(wildcards)
    if "pairs" not in find(DATASETS, name).lists:
        return {}
    left_out = Path(packed_for_privacy(wildcards)["index"]).with_name("left_out.csv")
    sources = rules.fetch.output.sources.format(dataset=name)
    return {"sources": sources, "left_out": str(left_out)}


def tested_params(wildcards):
    """The entry of the tested data set as plain values."""
    return asdict(find(DATASETS, tested_in(wildcards)))


rule own_cnn:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(
            *TRAINING,
            "methods/ce",
            "evaluators/crop",
            "evaluators/hog_linear",
            "evaluators/interface",
            "evaluators/own",
            "evaluators/registry",
            "privacy/faces",
            "privacy/own_evaluators",
            "privacy/parts",
            "privacy/readers",
            "privacy/recipe",
            "predictions",
        ),
    output:
        model=f"{OWN}/own_cnn/model.safetensors",
        history=f"{OWN}/own_cnn/history.csv",
        run=f"{OWN}/own_cnn/run.json",
    log:
        f"{OWN}/own_cnn/train.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_privacy,
        mem_mb=memory_of_privacy,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}: train the own gender classifier: epochs in {log}"
    script:
        "../scripts/own_cnn.py"


rule own_hog:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(
            *TRAINING,
            "evaluators/crop",
            "evaluators/hog_linear",
            "evaluators/interface",
            "evaluators/own",
            "evaluators/registry",
            "privacy/faces",
            "privacy/own_evaluators",
            "privacy/parts",
            "privacy/readers",
            "privacy/recipe",
            "predictions",
        ),
    output:
        weights=f"{OWN}/hog_linear/weights.npz",
    log:
        f"{OWN}/hog_linear/fit.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging,
        mem_mb=memory_of_judging,
    message:
        "{wildcards.dataset}: fit HOG and logistic regression"
    script:
        "../scripts/own_hog.py"


rule own_matcher:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(*PRIVACY),
    output:
        network=f"{OWN}/own_matcher/network.safetensors",
        history=f"{OWN}/own_matcher/history.csv",
        run=f"{OWN}/own_matcher/run.json",
    log:
        f"{OWN}/own_matcher/train.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_privacy,
        mem_mb=memory_of_privacy,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        recipe=own_matcher_params,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}: train the own matcher: epochs in {log}"
    script:
        "../scripts/auxiliary.py"


rule score:
    input:
        unpack(originals_for),
        unpack(receipt_for),
        unpack(pair_list_for),
        unpack(packed_for_privacy),
        protected=f"{CONDITION}/images.npy",
        protected_index=f"{CONDITION}/index.parquet",
        protected_card=f"{CONDITION}/card.json",
        auxiliaries=auxiliaries_for,
        own_cnn=rules.own_cnn.output.model,
        own_hog=rules.own_hog.output.weights,
        own_matcher=rules.own_matcher.output.network,
        evaluators=package("evaluators"),
        protector=code("privacy/protectors/{protector}"),
        code=code(
            "metrics/quality",
            "metrics/rates",
            "metrics/verification",
            "pairs",
            "privacy/auxiliaries",
            "privacy/comparisons",
            "privacy/faces",
            "privacy/panel",
            "privacy/parts",
            "privacy/protected",
            "privacy/protectors/base",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/san",
            "privacy/score",
            "privacy/warp",
            "privacy/weights",
            "scores",
        ),
    output:
        scores=directory(f"{CONDITION}/scores"),
    log:
        f"{CONDITION}/score.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging,
        mem_mb=memory_of_judging,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        dataset=tested_in,
        entry=tested_params,
        evaluators=third_parties,
        matcher_net=matcher_in_loss,
        comparisons=BENCHMARK.hiding.comparisons,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: score {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/score.py"
