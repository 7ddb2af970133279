"""What an alignment depends on beside the images."""

from dataclasses import replace

from softbio.data.packing.journal import contents_of, identity_of
from softbio.evaluators.finders import made_with
from softbio.evaluators.registry import Square, bare, load_evaluators

SPECS = load_evaluators()


def test_what_is_aligned_depends_on_its_networks_and_on_nothing_said_of_them(tmp_path):
    """Identity of an alignment: another weight file, crop or scaling, no other citation."""
    spec = SPECS["landmarks68"]

    def identity(spec):
        return identity_of(contents_of(made_with({spec.name: bare(spec)}, tmp_path)))

    first = identity(spec)
    assert identity(replace(spec, citation="Another", trained_on=("lfw",))) == first
    assert identity(replace(spec, crop=Square(70, 56, 56))) != first
    path = spec.paths(tmp_path)["weights"]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    with_file = identity(spec)
    path.write_bytes(b"others")
    assert len({first, with_file, identity(spec)}) == 3
