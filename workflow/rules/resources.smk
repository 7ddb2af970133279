# What a job asks a cluster for, and which rules are too small, or need the network, to be sent to one.
import json

from softbio.cost import gpu_here, growth, prediction_cost, training_cost


localrules:
    fetch,
    fetched,
    evaluators,
    audit,
    control,
    parts,
    metrics,
    collect,
    statistics,
    tables,
    figures,
    report,
    authors_files,
    authors_predictions,
    L0,


# `auto` asks for no GPU: whether the cluster has one can not be seen from here
ASKS_FOR_GPU = BENCHMARK.device == "cuda"
COMPUTES_ON_GPU = ASKS_FOR_GPU or (BENCHMARK.device == "auto" and gpu_here())


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


def minutes_of_privacy(wildcards, attempt):
    """Minutes; the drawn faces take a few of one core, photographs at 112 px some of a GPU's."""
    return growth(attempt) * 240


def memory_of_privacy(wildcards, attempt):
    """MB; images and warped prototypes stay in memory maps."""
    return growth(attempt) * 6000


def minutes_of_packing(wildcards, attempt):
    """Minutes; at the 9 ms of a drawn face, the slowest, an hour holds 800,000 in two processes."""
    return growth(attempt) * 60


def memory_of_packing(wildcards, attempt):
    """MB; images are written as they come, so the data set's size does not matter."""
    return growth(attempt) * 4000
