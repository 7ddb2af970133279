"""The steps of the workflow without Snakemake: python -m softbio STEP --help."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from softbio.engine.recipe import recipe_from
from softbio.errors import UserError
from softbio.job import job


def _train(options: argparse.Namespace) -> None:
    # imported here because cut and join must work without PyYAML and jsonschema
    from softbio.engine.train import train
    from softbio.schema import read_yaml

    # JSON is YAML
    values = read_yaml(options.recipe)
    if not isinstance(values, dict):
        raise UserError(
            f"{options.recipe}: must hold the fields of a recipe; take a run's run.json"
        )
    train(recipe_from(values.get("recipe", values)), options.packed, options.out, options.device)


def _predict(options: argparse.Namespace) -> None:
    from softbio.engine.predict import predict

    predict(options.model, options.packed, options.out, options.device)


def _metrics(options: argparse.Namespace) -> None:
    from softbio.results.evaluate import evaluate_file

    evaluate_file(options.predictions, options.out)


def _cut(options: argparse.Namespace) -> None:
    from softbio.manifest import MB
    from softbio.transfer import cut

    cut(options.folder, options.out, options.piece_mb * MB)


def _join(options: argparse.Namespace) -> None:
    from softbio.transfer import join

    join(options.pieces, options.out)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _audit(options: argparse.Namespace) -> None:
    from softbio.data.audit import audit_lists

    given = {"train": options.train, "valid": options.valid, "test": options.test}
    lists = {part: path for part, path in given.items() if path is not None}
    audit_lists(lists, tuple(options.ages), options.subject, options.out)


@dataclass(frozen=True)
class Step:
    """A step of the command line. run: its function; paths: required options, name -> meaning;
    on_torch: whether it takes options for torch."""

    name: str
    run: Callable[[argparse.Namespace], None]
    text: str
    paths: dict[str, str]
    on_torch: bool = False


PACKED = "folder of a packed data set"
STEPS = (
    Step(
        name="train",
        run=_train,
        text="Train one recipe, or continue an interrupted training.",
        paths={
            "recipe": "JSON with the fields of a recipe, such as the run.json of an earlier run",
            "packed": PACKED,
            "out": "folder of the run",
        },
        on_torch=True,
    ),
    Step(
        name="predict",
        run=_predict,
        text="Predict the test images with a trained model.",
        paths={
            "model": "model.safetensors of a run",
            "packed": PACKED,
            "out": "predictions.parquet to write",
        },
        on_torch=True,
    ),
    Step(
        name="metrics",
        run=_metrics,
        text="Compute the metrics of any predictions file.",
        paths={"predictions": "predictions.parquet", "out": "metrics.json to write"},
    ),
    Step(
        name="cut",
        run=_cut,
        text="Cut a folder, such as a packed data set, into pieces of less than 50 MB.",
        paths={
            "folder": "folder to carry to another machine",
            "out": "folder for the pieces and their manifest.json",
        },
    ),
    Step(
        name="join",
        run=_join,
        text="Join the pieces again; every byte is checked.",
        paths={"pieces": "folder of pieces and manifest.json", "out": "folder to make"},
    ),
    Step(
        name="audit",
        run=_audit,
        text="Audit split lists without their images: CSV files with ranks in 'age'.",
        paths={
            "train": "list of the training images",
            "test": "list of the test images",
            "out": "JSON to write",
        },
    ),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m softbio", description=__doc__)
    commands = parser.add_subparsers(dest="step", required=True)
    added = {}
    for step in STEPS:
        command = commands.add_parser(step.name, help=step.text, description=step.text)
        for path, meaning in step.paths.items():
            command.add_argument(f"--{path}", type=Path, required=True, help=meaning)
        if step.on_torch:
            command.add_argument("--device", default="auto", help="auto, cpu or cuda")
            command.add_argument("--threads", type=_count, help="number of threads for torch")
        command.set_defaults(run=step.run)
        added[step.name] = command
    piece = "size of a piece in 10^6 bytes, below 50"
    added["cut"].add_argument("--piece-mb", type=int, default=45, help=piece)
    audit = added["audit"]
    audit.add_argument("--valid", type=Path, help="list of the validation images")
    audit.add_argument("--subject", help="column that names the person")
    ages = {"type": int, "nargs": 2, "metavar": ("FIRST", "LAST"), "required": True}
    audit.add_argument("--ages", **ages, help="youngest and oldest age; rank 0 is the youngest")
    return parser


def main() -> None:
    """Entry point."""
    options = _parser().parse_args()
    with job(threads=getattr(options, "threads", None)):
        options.run(options)


if __name__ == "__main__":
    main()
