# What a job asks a cluster for, and which rules are not sent to one: they are small, or need the
# internet.
import json

from softbio.plan.cost import (
    auxiliary_cost,
    gpu_here,
    growth,
    judging_cost,
    prediction_cost,
    privacynet_cost,
    san_cost,
    training_cost,
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


def judging(wildcards, input):
    """Of protecting faces, of all evaluators or all attackers on one condition."""
    size, evaluators = plan_of(wildcards).san.size, len(BENCHMARK.hiding.evaluators)
    return judging_cost(faces_in(input.card), size, evaluators + 1, ASKS_FOR_GPU)


def faces_in(card):
    """Number of images of a population; Snakemake asks again while there is no card yet."""
    return sum(json.loads(Path(card).read_text())["images"].values())


def minutes_of_privacy(wildcards, input, attempt):
    """Minutes of a network's training."""
    return growth(attempt) * privacy_cost(wildcards, input).minutes


def memory_of_privacy(wildcards, input, attempt):
    """MB; images and warped prototypes stay in memory maps."""
    return growth(attempt) * privacy_cost(wildcards, input).memory_mb


def minutes_of_judging(wildcards, input, attempt):
    """Minutes of work on protected faces."""
    return growth(attempt) * judging(wildcards, input).minutes


def memory_of_judging(wildcards, input, attempt):
    """MB of the same."""
    return growth(attempt) * judging(wildcards, input).memory_mb


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
