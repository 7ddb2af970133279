from pathlib import Path

from softbio.figures import write_figures
from softbio.job import job
from softbio.results.records import load, load_cards
from softbio.statistics.contests import read_statistics

with job(snakemake.log[0]):
    records = load([Path(path).parent for path in snakemake.input.metrics])
    cards = load_cards(snakemake.input.cards)
    statistics = read_statistics(Path(snakemake.input.statistics))
    style, folder = snakemake.input.style, snakemake.output.figures
    write_figures(records, cards, statistics, folder, style)
