"""The steps of the workflow without Snakemake: python -m softbio STEP --help."""

import argparse
from pathlib import Path

from softbio.engine.recipe import recipe_from
from softbio.errors import UserError
from softbio.job import job


def _train(options: argparse.Namespace) -> None:
    # PyYAML and jsonschema are not on every GPU machine: cut and join do without
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m softbio", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)

    def step(name: str, run, text: str, **paths: str) -> argparse.ArgumentParser:
        added = steps.add_parser(name, help=text, description=text)
        for path, meaning in paths.items():
            added.add_argument(f"--{path}", type=Path, required=True, help=meaning)
        added.set_defaults(run=run)
        return added

    packed = "folder of a packed data set"
    train = step(
        *("train", _train, "Train one recipe, or go on with one that was interrupted."),
        recipe="JSON with the fields of a recipe; the run.json of an earlier run will do",
        packed=packed,
        out="folder of the run",
    )
    predict = step(
        *("predict", _predict, "Predict the test images with a trained model."),
        model="model.safetensors of a run",
        packed=packed,
        out="predictions.parquet to write",
    )
    step(
        *("metrics", _metrics, "Judge any predictions file."),
        predictions="predictions.parquet",
        out="metrics.json to write",
    )
    cut = step(
        *("cut", _cut, "Cut a folder, such as a packed data set, into pieces of less than 50 MB."),
        folder="folder to carry to another machine",
        out="folder for the pieces and their manifest.json",
    )
    cut.add_argument("--piece-mb", type=int, default=45, help="10^6 bytes of a piece, below 50")
    step(
        *("join", _join, "Join the pieces again, every byte checked."),
        pieces="folder of pieces and manifest.json",
        out="folder to make",
    )
    audit = step(
        *(
            "audit",
            _audit,
            "Audit split lists without their images: CSV files with ranks in 'age'.",
        ),
        train="list of the training images",
        test="list of the test images",
        out="JSON to write",
    )
    audit.add_argument("--valid", type=Path, help="list of the validation images")
    audit.add_argument("--subject", help="column that names the person")
    ages = {"type": int, "nargs": 2, "metavar": ("FIRST", "LAST"), "required": True}
    audit.add_argument("--ages", **ages, help="youngest and oldest age; rank 0 is the youngest")
    for added in (train, predict):
        added.add_argument("--device", default="auto", help="auto, cpu or cuda")
        added.add_argument("--threads", type=_count, help="how many threads torch may use")
    return parser


def main() -> None:
    """Entry point."""
    options = _parser().parse_args()
    with job(threads=getattr(options, "threads", None)):
        options.run(options)


if __name__ == "__main__":
    main()
