from pathlib import Path

from softbio.evaluators.registry import load_evaluators
from softbio.hiding.load import load_hiding
from softbio.hiding.population import read_population, read_training
from softbio.hiding.trained import read_trained
from softbio.job import job
from softbio.report.hiding.write import write_hiding

given = snakemake.input

with job(snakemake.log[0]):
    population = read_population(snakemake.wildcards.dataset, given.card, given.parts)
    trainings = [read_training(Path(path).parent) for path in given.sans]
    conditions = [Path(path).parent for path in given.cards]
    attacked = [Path(path).parent for path in given.attacks]
    family = {"diversity": given.diversity, "prototypes": given.prototypes or None}
    trained = read_trained(given.trained)
    hiding = load_hiding(population, conditions, attacked, trainings, trained=trained, **family)
    folder = Path(snakemake.output.claims).parent
    write_hiding(hiding, load_evaluators(given.registry), folder, given.style)
