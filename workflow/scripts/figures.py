from pathlib import Path

from softbio.figures import write_figures
from softbio.job import job
from softbio.records import load, load_cards

with job(snakemake.log[0]):
    records = load([Path(path).parent for path in snakemake.input.metrics])
    cards = load_cards(snakemake.input.cards)
    write_figures(records, cards, snakemake.output.figures, snakemake.input.style)
