# What a job asks a cluster for, and which rules are not sent to one: they are small, or need the
# internet.
import json

from softbio.plan.cost import (
    LOSS_MATCHERS,
    autoencoder_gmac,
    auxiliary_cost,
    auxiliary_gmac,
    generator_gmac,
    gpu_here,
    growth,
    prediction_cost,
    privacynet_cost,
    san_cost,
    training_cost,
)
from softbio.plan.judging_cost import (
    attacking_cost,
    hog_cost,
    parts_of,
    passing_cost,
    scoring_cost,
    warping_cost,
)


localrules:
    fetch,
    fetch_one,
    evaluators,
    used_evaluators,
    audit,
    control,
    parts,
    metrics,
    gender_metrics,
    reading,
    collect,
    statistics,
    tables,
    figures,
    report,
    authors_files,
    authors_predictions,
    L0,


# `auto` asks for no GPU: from here nobody can see whether the cluster has one
ASKS_FOR_GPU = BENCHMARK.device == "cuda"
COMPUTES_ON_GPU = ASKS_FOR_GPU or (BENCHMARK.device == "auto" and gpu_here())
# On one machine one job at a time computes on the GPU; --resources gpu_slots=N allows more.
SLOTS_GIVEN = "gpu_slots" in workflow.global_resources
if COMPUTES_ON_GPU and not SLOTS_GIVEN:
    workflow.global_resources["gpu_slots"] = 1


def gpu_slots(wildcards):
    """1 of each job that computes on this machine's GPU. A cluster hands out its own GPUs, so that
    there the default is no limit."""
    return int(COMPUTES_ON_GPU and (SLOTS_GIVEN or workflow.local_exec))


def images_in(card):
    """Number of images of a packed data set; Snakemake asks again while there is no card yet."""
    return sum(json.loads(Path(card).read_text())["counts"].values())


def minutes_of(cost):
    """Resource function: the minutes by a cost model, more of them after a failure."""

    def minutes(wildcards, input, attempt):
        return growth(attempt) * _cost_of(cost, wildcards, input).minutes

    return minutes


def memory_of(cost):
    """Resource function: the memory by a cost model, more of it after a failure."""

    def memory(wildcards, input, attempt):
        return growth(attempt) * _cost_of(cost, wildcards, input).memory_mb

    return memory


def _cost_of(cost, wildcards, input):
    return cost(recipe_of(wildcards), images_in(input.card), ASKS_FOR_GPU)


def privacy_cost(wildcards, input):
    """Of an auxiliary network, a SAN or a PrivacyNet."""
    images, plan = faces_in(input.card), plan_of(wildcards)
    if "ablation" in wildcards.keys():
        recipe = privacynet_of(wildcards)
        return privacynet_cost(recipe, plan.matcher, images, ASKS_FOR_GPU)
    if "kind" in wildcards.keys():
        recipe = getattr(plan, wildcards.kind)
        return auxiliary_cost(recipe, images, ASKS_FOR_GPU)
    return san_cost(plan, images, ASKS_FOR_GPU)


def faces_in(card):
    """Number of images of a population; Snakemake asks again while there is no card yet."""
    return sum(json.loads(Path(card).read_text())["images"].values())


def faces_of(wildcards, input, *parts):
    """The same of some of its parts."""
    counts = json.loads(Path(input.card).read_text())["images"]
    found = parts_of([counts[name] for name in members(wildcards.dataset)])
    return sum(found[part] for part in parts)


def embedding(wildcards, input):
    """Of the matcher in the loss on the faces that are trained on, as they are and mirrored."""
    faces, plan = faces_of(wildcards, input, "san"), plan_of(wildcards)
    gmac = LOSS_MATCHERS.get(plan.san.matcher_net, auxiliary_gmac(plan.matcher))
    return passing_cost(faces, plan.san.size, 2 * gmac, ASKS_FOR_GPU)


def warping(wildcards, input):
    """Of both prototypes to every face of a population."""
    return warping_cost(faces_in(input.card), size_of_san(wildcards))


def fitting(wildcards, input):
    """Of HOG and logistic regression."""
    return hog_cost(faces_of(wildcards, input, "evaluators"), size_of_san(wildcards))


def protecting(wildcards, input):
    """Of one condition, for the attacker and the test."""
    faces = faces_of(wildcards, input, "attacker", "test")
    gmac = gmac_of_protector(wildcards)
    return passing_cost(faces, size_of_san(wildcards), gmac, ASKS_FOR_GPU)


def gmac_of_protector(wildcards):
    """10^9 multiply-adds that the networks of a protector take for a face, at the most."""
    if wildcards.protector == "privacynet":
        known = BENCHMARK.privacy, wildcards.dataset, int(wildcards.seed)
        return 2 * generator_gmac(privacynet_plan(*known, ABLATIONS[0]))
    plan = plan_of(wildcards)
    # there, and back for the signs of the gradient
    gmac = 3 * auxiliary_gmac(plan.gender)
    gmac += autoencoder_gmac(plan.san.shape, plan.san.size)
    several = wildcards.protector in ("ensemble", "flowsan")
    return gmac * (len(member_numbers(BENCHMARK.privacy)) if several else 1)


def scoring(wildcards, input):
    """Of all who judge one condition; all of the project's own are charged as one of the others."""
    judges, size = len(third_parties(wildcards)) + 1, size_of_san(wildcards)
    return scoring_cost(faces_of(wildcards, input, "test"), size, judges, ASKS_FOR_GPU)


def comparing(wildcards, input):
    """Of the classifiers of an ensemble on one condition."""
    judges, size = len(member_numbers(BENCHMARK.privacy)), size_of_san(wildcards)
    return scoring_cost(faces_of(wildcards, input, "test"), size, judges, ASKS_FOR_GPU)


def attacking(wildcards, input):
    """Of all attackers on one condition."""
    faces = faces_of(wildcards, input, "attacker", "test")
    modes = 3 if wildcards.protector == "san" else 1
    return attacking_cost(faces, size_of_san(wildcards), modes, ASKS_FOR_GPU)


def minutes_of_privacy(wildcards, input, attempt):
    """Minutes of a network's training."""
    return growth(attempt) * privacy_cost(wildcards, input).minutes


def memory_of_privacy(wildcards, input, attempt):
    """MB; images and warped prototypes stay in memory maps."""
    return growth(attempt) * privacy_cost(wildcards, input).memory_mb


def minutes_of_judging(judging):
    """Resource function: the minutes of work on faces, more of them after a failure."""

    def minutes(wildcards, input, attempt):
        return growth(attempt) * judging(wildcards, input).minutes

    return minutes


def memory_of_judging(judging):
    """Resource function: the memory of the same."""

    def memory(wildcards, input, attempt):
        return growth(attempt) * judging(wildcards, input).memory_mb

    return memory


def minutes_of_packing(wildcards, attempt):
    """Minutes; at the 9 ms of a drawn face, the slowest, an hour holds 800,000 in two processes."""
    return growth(attempt) * 60


def minutes_of_finding(wildcards, attempt):
    """Minutes; at the 25 ms that YuNet takes for an image, an hour holds 140,000; aligning
    takes a third more."""
    return growth(attempt) * 180


def memory_of_packing(wildcards, attempt):
    """MB; images are written as they come, so the data set's size does not matter."""
    return growth(attempt) * 4000


def look_only_when_a_job_ends():
    """Remove Snakemake's limit of jobs a second, unless the user set another than its default.

    Because of that limit it looks at all ready jobs again and again, a second after each look, and
    each job that ends begins one more such chain: after a hundred jobs it took a third of a core.
    """
    limit = workflow.scheduler.job_rate_limiter
    if limit is not None and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
