# What is told of a benchmark as a whole before anything runs, by the input function of rule all.
from functools import cache

from snakemake.logging import logger

from softbio.absence import as_lines
from softbio.estimate import as_text, estimates


def announced(wildcards):
    """The report; tells what it will take, and stops where a data set can not be had."""
    if workflow.is_main_process:
        _announce()
    return f"{RESULTS}/report.html"


@cache
def _announce():
    planned = estimates(BENCHMARK, DATASETS, Path("resources/packed"))
    logger.info(as_text(BENCHMARK.name, planned, COMPUTES_ON_GPU))
    for each in SKIPPED:
        logger.info(f"left out: {each} of {each.dataset}: {each.text}")
    stopping = [each for each in ABSENT if each not in SKIPPED]
    if not stopping:
        return
    remedy = "the run stops before its first job; missing=skip leaves them out"
    if not workflow.dryrun:
        raise WorkflowError(f"data sets are missing: {remedy}\n{as_lines(stopping)}")
    logger.info(f"missing ({remedy}):\n{as_lines(stopping)}")
