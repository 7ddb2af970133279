from pathlib import Path

from softbio.job import job
from softbio.published.numbers import read_published
from softbio.reading.load import load_readings
from softbio.report.reading.write import write_reading
from softbio.results.records import load_cards

given = snakemake.input

with job(snakemake.log[0]):
    readings = load_readings([Path(path).parent for path in given.metrics])
    published = read_published(given.published)
    folder = Path(snakemake.output.reading).parent
    write_reading(readings, load_cards(given.cards), published, folder, given.style)
