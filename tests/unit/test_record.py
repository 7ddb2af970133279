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
    assert (claims[claims["claim"] == "C6"]["word"] == "not held").all()
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
    assert level[("alpha0.4", "adaptive_cnn")] < level[("alpha0.4", "zero_effort")]


def test_the_record_of_the_family_prints_what_its_numbers_say():
    text = section("The family side by side on LFW")
    head, _, *rows = re.findall(r"^\| (.*) \|$", text, re.M)
    numbers = pd.read_csv(RECORD / "family_lfw_cpu/side_by_side.csv", keep_default_na=False)
    numbers = numbers[numbers["number"].isin(["eer", "eer_mean", "tmr"])].replace(
        {"by": {"": "mean"}}
    )
    values = numbers.set_index(["protector", "mode", "by"])["value"]
    judges = head.split(" | ")[3:]
    assert len(rows) == len(numbers[["protector", "mode"]].drop_duplicates())
    for row in rows:
        protector, mode, seeds, *cells = row.split(" | ")
        key = ("none", "original") if protector == "original" else (protector, mode)
        assert cells == [f"{100 * float(values[(*key, judge)]):.1f}" for judge in judges]
        assert set(numbers.set_index(["protector", "mode"]).loc[key, "seeds"]) == {int(seeds)}


def test_the_record_of_the_family_says_what_its_claims_say():
    text = section("The family side by side on LFW")
    told = text.split("\n- ")[1:]
    said = {each[: each.index(",")]: " ".join(each.split()) for each in told}
    claims = pd.read_csv(RECORD / "family_lfw_cpu/claims.csv")
    words = {name: own["word"].value_counts() for name, own in claims.groupby("claim")}

    def numbers(claim: str, pattern: str) -> list[int]:
        return [int(each) for each in re.search(pattern, said[claim]).groups()]

    turned = claims[(claims["claim"] == "C1") & claims["text"].str.contains("OP")]["value"]
    ends = [round(100 * turned.min()), round(100 * turned.max())]
    assert numbers("C1", r"(\d+) to (\d+) %") == ends
    kinds = claims[claims["claim"] == "C2"].groupby(["text", "word"]).size()
    assert list(kinds) == numbers("C2", r"all (\d+)") * 2
    assert set(words["C2"].index) == {"held"}
    core = claims[claims["claim"] == "C3, PrivacyNet"]
    assert set(core["word"]) == {"held"}
    least, most = (round(100 * end(core["value"])) for end in (min, max))
    assert numbers("C3", r"all (\d+) comparisons, (\d+) to (\d+)") == [len(core), least, most]
    cores = [words[name] for name in ("C3", "C3, Ensemble SAN", "C3, FlowSAN")]
    higher = r"in (\d+) \(SAN\), (\d+) \(ensemble\) and (\d+) \(FlowSAN\)"
    assert numbers("C3", higher) == [own["held"] for own in cores]
    assert all(own.sum() == 10 and "not held" not in own for own in cores)
    average = words["C4a"]
    assert "held" not in average
    of_average = [average.sum(), average["undecided"]]
    assert numbers("C4a", r"none of (\d+) comparisons, (\d+) of them") == of_average
    assert words["C4b"].to_dict() == {"held": numbers("C4b", r"all (\d+)")[0]}
    diverse = words["C4c"]
    of_diverse = [diverse["held"], diverse.sum(), diverse["undecided"]]
    assert numbers("C4c", r"in (\d+) of (\d+) .* (\d+) of") == of_diverse
    assert words["C5"].to_dict() == {"held": numbers("C5", r"gender, (\d+) of (\d+)")[0]}
    assert len(set(numbers("C5", r"gender, (\d+) of (\d+)"))) == 1
    assert numbers("C6", r"in (\d+) of (\d+)") == [words["C6"]["not held"], words["C6"].sum()]


def test_the_record_of_the_family_prints_its_intervals():
    text = section("The family side by side on LFW")
    told = " ".join(text.partition("What the claims come to")[0].split())
    numbers = pd.read_csv(RECORD / "family_lfw_cpu/side_by_side.csv")
    means = numbers[numbers["number"] == "eer_mean"].set_index(["protector", "mode"])
    for place, name in {
        ("san", "op"): "SAN OP",
        ("ensemble", "average"): "the ensemble's average",
        ("flowsan", "stage3"): "FlowSAN's last stage",
        ("privacynet", "g"): "PrivacyNet",
    }.items():
        low, high = 100 * means.loc[place, ["value_low", "value_high"]]
        assert f"{name} {low:.1f} to {high:.1f}" in told


def test_what_the_record_of_the_family_says_of_privacynet_is_in_its_numbers():
    text = " ".join(section("The family side by side on LFW").split())
    numbers = pd.read_csv(RECORD / "family_lfw_cpu/side_by_side.csv")
    by = numbers.fillna({"mode": "", "by": ""}).set_index(["protector", "mode", "number", "by"])

    def value(protector: str, mode: str, number: str, judge: str = "") -> float:
        return float(by.loc[(protector, mode, number, judge), "value"])

    def share(*key: str) -> str:
        return f"{100 * value(*key):.1f}"

    net, san, step = ("privacynet", "g"), ("san", "op"), ("gradient_sign", "eps8")
    turned = "eer_turned_mean"
    assert f"{share(*net, 'tmr', 'SFace')} % for SFace at a mean EER" in text
    assert f"turned round, of {share(*net, turned)} %; by the means" in text
    pairs = [(value(p, m, turned), value(p, m, "tmr", "SFace"))
             for p, m in by.index.droplevel([2, 3]).unique() if (p, m) != net]  # fmt: skip
    own = value(*net, turned), value(*net, "tmr", "SFace")
    assert not any(hidden >= own[0] and kept >= own[1] for hidden, kept in pairs)
    psnr, ssim = (
        f"{value(*net, name):.{d}f}".lstrip("0") for name, d in (("psnr", 1), ("ssim", 2))
    )
    beside = [f"{value(*san, name):.{d}f}".lstrip("0") for name, d in (("psnr", 1), ("ssim", 2))]
    assert f"PSNR {psnr} dB, SSIM {ssim}; SAN OP {beside[0]} dB, {beside[1]}" in text
    worst = {key: share(*key, "worst_separation") for key in (net, san, step)}
    assert f"max(AUC, 1 − AUC) of {worst[net]} %" in text
    assert f"with {worst[step]} %, more than of SAN OP ({worst[san]} %)" in text
    assert f"{share(*step, turned)} for {share(*san, turned)} %" in text
    trained = pd.read_csv(RECORD / "family_lfw_cpu/trained.csv")
    minutes = {name: own["seconds"] / 60 for name, own in trained.groupby("kind")}
    least, most = (f"{end(minutes['PrivacyNet']):.0f}" for end in (min, max))
    assert f"{least} to {most} min a seed" in text
    gender = pd.read_csv(RECORD / "family_lfw_cpu/gender.csv", keep_default_na=False)
    own = gender[gender["evaluator"] == "faceres"].astype({"eer": float})
    before, keep = (100 * own[own["mode"] == mode]["eer"].mean() for mode in ("", "keep"))
    assert f"falls from {before:.1f} to {keep:.1f} %" in text


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


def test_the_second_run_of_the_family_is_compared_as_its_numbers_say():
    text = section("The family on another machine")
    numbers, claims = [], []
    for name in ("family_lfw_cpu", "family_lfw_cpu_avx512"):
        frame = pd.read_csv(RECORD / name / "side_by_side.csv", keep_default_na=False)
        numbers.append(frame.set_index(["protector", "mode", "number", "by"])["value"])
        claims.append(pd.read_csv(RECORD / name / "claims.csv"))
    rows = [row.split(" | ") for row in re.findall(r"^\| (.*) \|$", text, re.M)[2:]]
    assert len(rows) == len(numbers[0].index.droplevel([2, 3]).unique())
    for protector, mode, *cells in rows:
        key = ("none", "original") if protector == "original" else (protector, mode)
        expected = [
            f"{100 * float(values[(*key, *number)]):.1f}"
            for number in (("eer_mean", ""), ("tmr", "SFace"))
            for values in numbers
        ]
        assert cells == expected
    words = claims[0].merge(claims[1], on=["claim", "text", "by", "seed"], validate="1:1")
    # of two conditions the strongest attacker is another one
    alone = [own[~own["claim"].eq("C6")] for own in claims]
    assert (words["claim"] != "C6").sum() == len(alone[0]) == len(alone[1])
    for claim, word in (("C2", "held"), ("C4b", "held"), ("C5", "held")):
        of = words[words["claim"] == claim]
        assert set(of["word_x"]) | set(of["word_y"]) == {word}
    mixing = words[words["claim"] == "C3, PrivacyNet"]
    assert set(zip(mixing["word_x"], mixing["word_y"], strict=True)) == {("held", "undecided")}
    same = (words["word_x"] == words["word_y"]).sum()
    opposed = words[["word_x", "word_y"]].apply(set, axis=1) == {"held", "not held"}
    plain = " ".join(text.split())
    told = re.search(r"(\d+) of (\d+) verdicts are the same, and none is the opposite; each", plain)
    assert [int(each) for each in told.groups()] == [same, len(words)]
    assert opposed.sum() == 0
    others = words[words["word_x"] != words["word_y"]]
    assert ((others["word_x"] == "undecided") ^ (others["word_y"] == "undecided")).all()
    ends = [round(100 * end(mixing["value_y"])) for end in (min, max)]
    assert "({} to {} points of TMR)".format(*ends) in plain
    first, again = (mixing[f"value_high{run}"] - mixing[f"value_low{run}"] for run in ("_x", "_y"))
    ratios = (again / first).dropna().round()
    assert set(ratios) == {2, 3}
    assert f"In {len(ratios)} of them the interval is two to three times as wide" in plain
    assert list(mixing.loc[again.isna(), "by"]) == ["Own CNN, SFace"]
