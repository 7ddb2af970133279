"""What results/record prints and says, beside its numbers."""

import re

import pandas as pd
import pytest

from tests.conftest import ROOT

RECORD = ROOT / "results/record"


def section(title: str) -> str:
    """Of its page, from the heading that begins so to the next one."""
    text = (RECORD / "README.md").read_text()
    _, heading, rest = text.partition(f"\n## {title}")
    assert heading, f"no section '{title}'"
    return rest.partition("\n## ")[0]


def tables_of(text: str) -> list[list[list[str]]]:
    """The tables of a text, rows of cells, without the line below the head."""
    found = re.findall(r"(?:^\|.*\|\n)+", text + "\n", re.M)
    rows = ([line.strip("| \n").split(" | ") for line in each.splitlines()] for each in found)
    return [[head, *body] for head, _, *body in rows]


def key_of(protector: str, mode: str) -> tuple[str, str]:
    """A condition as the tables' CSV names it."""
    return ("none", "original") if protector == "original" else (protector, mode)


def test_the_record_prints_what_its_numbers_say():
    runs = pd.read_csv(RECORD / "utkface_cpu/runs.csv", keep_default_na=False)
    runs = runs[runs["metric"] == "mae"].astype({"value": float})
    by_cell = runs.groupby(["method", "selection", "decoding"])["value"]
    rows = re.findall(
        r"^\| (\w+) \| (\w+) \| (\w+) \| ([\d.]+) ± ([\d.]+) \|$",
        (RECORD / "README.md").read_text(),
        re.M,
    )
    assert len(rows) == 3 * 2 * 2
    for *cell, mean, sd in rows:
        values = by_cell.get_group(tuple(cell))
        assert len(values) == 3
        assert (f"{values.mean():.2f}", f"{values.std():.2f}") == (mean, sd)


def test_the_record_of_both_splits_prints_what_its_numbers_say():
    runs = pd.read_csv(RECORD / "utkface_splits/runs.csv", keep_default_na=False)
    runs = runs[(runs["metric"] == "mae") & (runs["decoding"] == "published")]
    runs = runs.astype({"value": float}).groupby(["dataset", "method", "selection"])["value"]
    number = r"([\d.]+ ± [\d.]+)"
    text = (RECORD / "README.md").read_text()
    rows = re.findall(rf"^\| (\w+) \| (\w+) \| {number} \| {number} \|$", text, re.M)
    assert len(rows) == 3 * 2
    for *cell, published, repaired in rows:
        for dataset, printed in (("utkface", published), ("utkface-repaired", repaired)):
            values = runs.get_group((dataset, *cell))
            assert len(values) == 3
            assert f"{values.mean():.2f} ± {values.std():.2f}" == printed


def test_the_record_of_hiding_prints_what_its_numbers_say():
    text = section("Hiding gender on LFW")
    head, *rows = re.findall(r"^\| (.*) \|$", text, re.M)
    gender, matching = (
        pd.read_csv(RECORD / f"celeba_lfw_cpu/{name}.csv", keep_default_na=False)
        for name in ("gender", "matching")
    )
    matching = matching[matching["kind"] != "protected-protected"]
    numbers = {
        **gender.set_index(["protector", "mode", "evaluator"])["eer"],
        **matching[matching["pairs"] == "all"].set_index(["protector", "mode", "matcher"])[
            "tmr@0.01"
        ],
    }
    judges = head.split(" | ")[2:]
    assert {judge for *_, judge in numbers} == set(judges)
    printed = {}
    for row in rows[1:]:
        protector, mode, *cells = row.replace("–", "").split(" | ")
        printed |= {
            (protector, mode.strip(), judge): cell
            for judge, cell in zip(judges, cells, strict=True)
        }
    assert printed == {key: f"{100 * float(value):.1f}" for key, value in numbers.items()}


def test_the_record_of_hiding_says_what_its_claims_and_attacks_say():
    text = " ".join(section("Hiding gender on LFW").split())
    claims = pd.read_csv(RECORD / "celeba_lfw_cpu/claims.csv")
    words = claims[claims["claim"] == "C3"]["word"].value_counts()
    assert f"higher in {words['held']} of {words.sum()} comparisons, lower in none" in text
    assert "not held" not in words
    c6 = claims[claims["claim"] == "C6"]
    assert c6["word"].tolist() == ["not held", "not held", "undecided"]
    assert c6["text"].iloc[2].endswith("Face mixing alpha 0.4")
    gender = pd.read_csv(RECORD / "celeba_lfw_cpu/gender.csv")
    op = gender[(gender["mode"] == "op") & ~gender["seen"].astype(bool)]
    assert (len(op), (op["eer"] > 0.5).sum()) == (6, 4)
    attacks = pd.read_csv(RECORD / "celeba_lfw_cpu/attacks.csv")
    level = attacks.set_index(["mode", "attack"])["separation"]

    def shown(mode: str, attack: str) -> str:
        return f"{100 * level[(mode, attack)]:.1f}"

    modes = ("op", "nt", "alpha0.4")
    most = ("adaptive_cnn", "adaptive_cnn", "linear")
    best = [shown(mode, name) for mode, name in zip(modes, most, strict=True)]
    assert best == [shown(mode, "worst") for mode in modes]
    assert f"of {best[0]} % after SAN OP and {best[1]} % after NT by a CNN retrained" in text
    assert f"and {best[2]} % after face mixing" in text
    zero = [shown(mode, "zero_effort") for mode in modes]
    assert f"{zero[0]}, {zero[1]} and {zero[2]} %" in text
    assert shown("alpha0.4", "linear_clean") == zero[2]
    assert level[("alpha0.4", "adaptive_cnn")] < level[("alpha0.4", "zero_effort")]


def test_the_record_of_the_family_prints_what_its_numbers_say():
    (head, *rows), *_ = tables_of(section("The family side by side on LFW"))
    numbers = pd.read_csv(RECORD / "family_lfw_cpu/side_by_side.csv", keep_default_na=False)
    numbers = numbers[numbers["number"].isin(["eer", "eer_mean", "tmr"])].replace(
        {"by": {"": "mean"}}
    )
    values = numbers.set_index(["protector", "mode", "by"])["value"]
    judges = head[3:]
    assert len(rows) == len(numbers[["protector", "mode"]].drop_duplicates())
    for protector, mode, seeds, *cells in rows:
        key = key_of(protector, mode)
        assert cells == [f"{100 * float(values[(*key, judge)]):.1f}" for judge in judges]
        assert set(numbers.set_index(["protector", "mode"]).loc[key, "seeds"]) == {int(seeds)}


def test_the_record_of_the_family_prints_its_intervals():
    _, (_, *rows), _ = tables_of(section("The family side by side on LFW"))
    numbers = pd.read_csv(RECORD / "family_lfw_cpu/side_by_side.csv", keep_default_na=False)
    numbers = numbers[numbers["by"] == ""].set_index(["protector", "mode", "number"])
    assert len(rows) == len(numbers.index.droplevel(2).unique())
    for protector, mode, *cells in rows:
        expected = []
        for name, digits in (
            *(("eer_turned_mean", None), ("worst_separation", None)),
            *(("psnr", 1), ("ssim", 3)),
        ):
            key = (*key_of(protector, mode), name)
            found = numbers.loc[key] if key in numbers.index else None
            if found is None or found["value"] == "":
                expected.append("–")
            elif digits is None:
                columns = ["value", "value_low", "value_high"]
                middle, low, high = (f"{100 * float(found[each]):.1f}" for each in columns)
                expected.append(f"{middle} ({low} to {high})")
            else:
                expected.append(f"{float(found['value']):.{digits}f}")
        assert cells == expected


def test_the_record_of_the_family_counts_what_its_claims_came_to():
    *_, (head, *rows) = tables_of(section("The family side by side on LFW"))
    claims = pd.read_csv(RECORD / "family_lfw_cpu/claims.csv")
    counts = claims.groupby(["claim", "word"]).size()
    assert head == ["claim", "verdict", "parts held", "undecided", "not held"]
    printed = {claim: [word, *map(int, cells)] for claim, word, *cells in rows}
    words = ("held", "undecided", "not held")
    verdicts = claims.groupby("claim")["verdict"].agg(lambda told: " ".join(set(told)))
    assert printed == {
        claim: [verdicts[claim], *(counts.get((claim, word), 0) for word in words)]
        for claim in claims["claim"].unique()
    }


def test_two_runs_of_the_family_are_compared_as_their_numbers_say():
    ((_, *rows),) = tables_of(section("The family on more images, and on another machine"))
    runs = []
    for name in ("family_lfw_cpu_avx2", "family_lfw_cpu_10000"):
        frame = pd.read_csv(RECORD / name / "side_by_side.csv", keep_default_na=False)
        runs.append(frame.set_index(["protector", "mode", "number", "by"])["value"])
    alike = {"none", "san", "privacynet", "mixing", "gradient_sign", "blur"}
    places = {key[:2] for key in runs[1].index if key[0] in alike}
    assert {key_of(protector, mode) for protector, mode, *_ in rows} == places
    for protector, mode, *cells in rows:
        assert cells == [
            f"{100 * float(values[(*key_of(protector, mode), *number)]):.1f}"
            for number in (("eer_mean", ""), ("tmr", "SFace"))
            for values in runs
        ]


def test_the_record_of_privacynet_prints_what_its_numbers_say():
    text = section("What PrivacyNet hides")
    head, _, *rows = re.findall(r"^\| (.*) \|$", text, re.M)
    numbers = pd.read_csv(RECORD / "privacynet_utkface_cpu/selectivity.csv", keep_default_na=False)
    expected = {}
    for row in numbers.itertuples():
        clean = row.protector == "original"
        cell = f"{100 * float(row.before if clean else row.change):{'.1f' if clean else '+.1f'}}"
        cell = cell.replace("-", "−")
        key = (row.protector, row.mode or "–", row.read)
        expected[key] = f"**{cell}**" if row.hidden else cell
    readers = head.split(" | ")[2:]
    printed = {
        (protector, mode, reader): cell
        for protector, mode, *cells in (row.split(" | ") for row in rows)
        for reader, cell in zip(readers, cells, strict=True)
    }
    assert printed == expected
    changes = numbers[numbers["change"] != ""].astype({"change_low": float, "change_high": float})
    widest = ((changes["change_high"] - changes["change_low"]) / 2).max()
    plain = " ".join(text.split())
    assert float(re.search(r"at most ±([\d.]+) points", plain)[1]) == pytest.approx(
        100 * widest, abs=0.05
    )
    claims = pd.read_csv(RECORD / "privacynet_utkface_cpu/claims.csv")
    words = claims.loc[claims["claim"] == "C5", "word"].value_counts()
    told = re.search(r"all (\d+) parts of claim C5 .* hold\.", plain)
    assert words.to_dict() == {"held": int(told[1])}
    quality = pd.read_csv(RECORD / "privacynet_utkface_cpu/quality.csv").set_index("condition")
    ablated = quality["psnr"][
        [f"PrivacyNet gender hidden{how}" for how in (" (without matcher)", " (without cycle)", "")]
    ]
    first, second, full = (f"{value:.1f}" for value in ablated)
    assert f"(PSNR {first} and {second} dB instead of {full})" in plain
    own = quality[quality.index.str.match(r"PrivacyNet [^(]*$")]
    ends = [f"{end(own['psnr']):.1f}" for end in (min, max)]
    ends += [f"{end(own['ssim']):.2f}".lstrip("0") for end in (min, max)]
    assert "PSNR is {} to {} dB and SSIM {} to {}".format(*ends) in plain
    points = [printed["privacynet", mode, "gender"].strip("*+")
              for mode in ("g-nomatcher", "g-nocycle", "g")]  # fmt: skip
    assert "({} and {} points instead of {})".format(*points) in plain


def test_the_record_of_reading_gender_prints_what_its_numbers_say():
    text = section("Reading gender on CelebA")
    numbers = pd.read_csv(RECORD / "celeba_gender_cpu/reading.csv", keep_default_na=False)
    keys = numbers[["selection", "by", "group", "metric"]].itertuples(index=False, name=None)
    values = ["value", "wilson_low", "wilson_high", "low", "high"]
    of = dict(zip(keys, numbers[values].itertuples(index=False, name=None), strict=True))
    rows = re.findall(r"^\| (\w+ \| .*) \|$", text, re.M)[1:]
    assert len(rows) == (numbers["selection"] == "last").sum()
    for row in rows:
        selection, by, group, metric, *cells = row.split(" | ")
        printed = [value for cell in cells for value in cell.split(" to ")]
        known = of[selection, by, group.replace("–", ""), metric]
        expected = [f"{100 * float(value):.2f}" if value != "" else "–" for value in known]
        assert printed == expected, (selection, by, group, metric)
    more = re.search(r"([\d.]+) points more \(([\d.]+) to ([\d.]+), by our", " ".join(text.split()))
    value, *_, low, high = (float(each) for each in of["last", "all", "", "accuracy"])
    expected = [97.52 - 100 * each for each in (value, high, low)]
    assert [f"{each:.2f}" for each in expected] == list(more.groups())
