# What is printed about a benchmark as a whole before anything runs. A dry run calls no onstart, so
# the input function of the main target prints it.
from functools import cache

from snakemake.logging import logger

from softbio.plan.absence import as_lines
from softbio.plan.estimate import as_text, estimates

STOPPING = [each for each in ABSENT if each not in SKIPPED]


def announced(wildcards):
    """The report. Prints what it will take and which data sets are missing."""
    if workflow.is_main_process:
        _announce()
    return f"{RESULTS}/report.html"


@cache
def _announce():
    planned = estimates(BENCHMARK, DATASETS, Path("resources/packed"))
    logger.info(as_text(BENCHMARK.name, planned, COMPUTES_ON_GPU))
    for each in SKIPPED:
        logger.info(f"left out: {each} of {each.dataset}: {each.text}")
    if STOPPING and workflow.dryrun:
        remedy = "a run would stop before its first job; missing=skip leaves them out"
        logger.info(f"missing ({remedy}):\n{as_lines(STOPPING)}")


def stop_where_lacking():
    """Raise before the first job of rule all; other targets may need none of these data sets."""
    if STOPPING and _announce.cache_info().currsize:
        raise WorkflowError(
            f"data sets are missing; missing=skip leaves them out\n{as_lines(STOPPING)}"
        )
