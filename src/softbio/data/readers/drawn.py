"""The drawn faces: no file, no person."""

from softbio.data.fetching.locate import Sources
from softbio.data.readers import COLUMNS, Records
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import Split, split_images


def records(spec: DatasetSpec, sources: Sources) -> Records:
    """Draw the population; no subject is in two parts."""
    # the drawing library is needed by no other reader
    from softbio.data.faces import draw_population, render

    options = spec.options
    frame, faces = draw_population(
        options.get("subjects", 600),
        options.get("images_per_subject", 5),
        spec.ages,
        options.get("seed", 1),
        **{key: options[key] for key in ("masculinity_sd", "one_session") if key in options},
    )
    split = split_images(frame["subject"], Split(**options.get("split", {})))
    return Records(frame.assign(split=split)[COLUMNS], faces, render)
