"""The registry and its one-line errors."""

from dataclasses import asdict
from pathlib import Path

import jsonschema
import pytest
import yaml

from softbio.data.registry import SCHEMA, Expected, find, load_registry, spec_from
from softbio.errors import UserError

REGISTRY = Path(__file__).parents[2] / "config/datasets.yaml"
FILE = {"name": "x", "url": None, "sha256": None, "bytes": None}
OWN = {
    "title": "Mine",
    "reader": "table",
    "ages": [18, 70],
    "source": "/data/mine",
    "lists": {"all": "labels.csv"},
}


def test_schema_is_one_and_the_registry_obeys_it():
    schema = yaml.safe_load(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(REGISTRY.read_text()), schema)


def test_entries_of_the_registry():
    registry = load_registry(REGISTRY)
    assert {"faces", "utkface"} <= registry.keys()
    utkface = registry["utkface"]
    assert (utkface.ages, utkface.k) == ((21, 60), 40)
    assert utkface.archive.name == "UTKFace.tar.gz"
    assert utkface.archive.url.startswith("gdrive:")
    assert utkface.obtain
    assert registry["faces"].archive is None
    for spec in registry.values():
        assert spec.citation.text != "not stated"
        assert spec.licence != "not stated"
        assert spec.intended_use != "not stated"
        assert spec.access == "generated" or spec.expected != Expected()
        assert spec.access in ("generated", "open", "form", "paid")
        assert (spec.access == "open") == any(file.url for file in spec.archives)
        assert spec.access == "generated" or f"datasets: {{{spec.name}: {{source: " in spec.obtain
    checked = {f.name for s in registry.values() for f in s.files if f.sha256 or f.md5}
    # of all others no checksum is published; the data card records what was found
    assert checked == {
        *("utk_train.csv", "utk_test.csv", "morph2_train.csv", "morph2_test.csv", "afad_test.csv"),
        *("cacd_test.csv", "img_align_celeba.zip", "lfw-deepfunneled.tgz", "pairs.txt"),
    }


def test_a_data_set_can_come_in_several_archives():
    muct = load_registry(REGISTRY)["muct"]
    assert [file.name[5] for file in muct.archives] == list("abcde")
    assert muct.archive == muct.archives[0]


def test_an_optional_file_counts_where_a_list_names_it():
    plain = load_registry(REGISTRY)["celeba"]
    name = "list_eval_partition.txt"
    named = load_registry(REGISTRY, {"celeba": {"lists": {"partition": name}}})["celeba"]
    assert {file.name for file in named.files} - {file.name for file in plain.files} == {name}
    # neither is it taken for an archive where no list names it
    assert named.archives == plain.archives == plain.files[:1]
    assert named.expected == plain.expected


def test_overrides_change_single_keys_and_add_whole_entries():
    plain = load_registry(REGISTRY)
    changes = {
        "utkface": {"source": "/data/UTKFace.tar"},
        "faces": {"options": {"subjects": 9}},
        "mine": OWN,
    }
    registry = load_registry(REGISTRY, changes)
    assert registry["utkface"].source == Path("/data/UTKFace.tar")
    assert registry["utkface"].files == plain["utkface"].files
    assert registry["faces"].options == {**plain["faces"].options, "subjects": 9}
    assert registry["mine"].title == "Mine"
    assert registry["mine"].k == 53
    assert load_registry(REGISTRY) == plain


def without(entry: dict, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"utkface": {"sorce": "x"}}, "'utkface.sorce' is unknown: did you mean 'source'?"),
        ({"utkfac": {"source": "x"}}, "datasets.utkfac: not in .* did you mean 'utkface'?"),
        ({"utkface": "/data"}, "datasets.utkface: must be a mapping"),
        (
            {"faces": {"options": {"subject": 3}}},
            "'faces.options.subject' is unknown: .*'subjects'",
        ),
        (
            {"faces": {"options": {"split": {"tset": 0.2}}}},
            "tset' is unknown: did you mean 'test'?",
        ),
        ({"utkface": {"options": {"a": 1}}}, "'utkface.options.a' is unknown: nothing can be set"),
        ({"utkface": {"ages": [60, 21]}}, r"datasets.utkface.ages: \[60, 21\] must run"),
        ({"utkface": {"ages": [21]}}, "key 'utkface.ages': "),
        ({"utkface": {"source_sha256": "abc"}}, "'utkface.source_sha256': 'abc' does not match"),
        ({"utkface": {"source": 7}}, "'utkface.source' is 7; it must be text or empty"),
        ({"Mine": OWN}, "name 'Mine' must be lower-case"),
        ({2020: {"titel": "x"}}, "datasets: name 2020 is not text"),
        ({"mine": without(OWN, "lists")}, "key 'mine.lists' lacks 'all'"),
        ({"mine": {**OWN, "access": "opn"}}, "'mine.access' is 'opn': did you mean|known: "),
        (
            {"mine": {**OWN, "files": [{"name": "../x", "url": None, "sha256": None, "bytes": 1}]}},
            r"'mine.files.0.name': '../x' does not match",
        ),
        (
            {"mine": {**OWN, "files": [{**FILE, "url": "gdrive:../../../etc/x"}]}},
            r"'mine.files.0.url': 'gdrive:../../../etc/x' does not match",
        ),
        (
            {"mine": {**OWN, "files": [{**FILE, "mirrors": ["file:///etc/passwd"]}]}},
            r"'mine.files.0.mirrors.0': 'file:///etc/passwd' does not match",
        ),
        (
            {"utkface": {"expected": {"images": 300}}},
            "datasets.utkface.expected: 3,287 test images are more than the 300 of all parts",
        ),
        ({"utkface": {"counts": {"all": 3}}}, "'utkface.counts' is unknown"),
        ({"mine": {**OWN, "expected": {"image": 3}}}, "expected.image' is unknown: .*'images'"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(overrides, message):
    with pytest.raises(UserError, match=message) as error:
        load_registry(REGISTRY, overrides)
    assert "\n" not in str(error.value)


def test_a_registry_that_is_missing_or_no_yaml(tmp_path):
    with pytest.raises(UserError, match=r"none.yaml: No such file"):
        load_registry(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1\nb: 2")
    with pytest.raises(UserError, match=r"bad.yaml: not YAML in line 2") as error:
        load_registry(tmp_path / "bad.yaml")
    assert "\n" not in str(error.value)
    (tmp_path / "list.yaml").write_text("- a")
    with pytest.raises(UserError, match="must hold one mapping"):
        load_registry(tmp_path / "list.yaml")


def test_an_unknown_data_set_is_answered_with_the_nearest():
    with pytest.raises(
        UserError, match="'utkfaces' is not in the registry: did you mean 'utkface'"
    ):
        find(load_registry(REGISTRY), "utkfaces")


@pytest.mark.parametrize("reader", ["tabel", "../table", "__init__"])
def test_an_unknown_reader_is_answered_with_the_nearest(reader):
    own = {"own": {"title": "Own", "reader": reader, "ages": [18, 70], "lists": {"all": "a.csv"}}}
    with pytest.raises(
        UserError, match=r"own.reader: no '.*', (did you mean 'table'|known: afad, ar_face)"
    ):
        load_registry(REGISTRY, own)


def test_an_entry_survives_as_plain_values():
    overrides = {"utkface": {"source": "~/faces"}}
    for spec in load_registry(REGISTRY, overrides).values():
        assert spec_from(asdict(spec)) == spec


def test_drawn_faces_of_ones_own_need_no_archive():
    entry = {"title": "Other", "reader": "drawn", "ages": [18, 70]}
    assert load_registry(REGISTRY, {"other": entry})["other"].access == ("generated")


@pytest.mark.parametrize(
    "entry",
    [
        {"homepage": "javascript:alert(1)"},
        {"citation": {"text": "t", "url": "JavaScript:alert(1)"}},
    ],
)
def test_an_address_is_one_of_the_web(entry):
    with pytest.raises(UserError, match=r"(homepage|url)'.* does not match '\^https\?://'"):
        load_registry(REGISTRY, {"faces": entry})
