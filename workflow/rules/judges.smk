# What the rules of judging.smk, attacks.smk and hiding.smk depend on: who judges, what is attacked,
# what the report's second half is made from.
from snakemake.iocontainers import Wildcards

from softbio.privacy.plan import ORIGINAL
from softbio.privacy.recipe import own_matcher_recipe

CONDITION = f"{HIDING}/seed{{seed}}/{{protector}}/{{mode}}"
OWN = f"{HIDING}/evaluators"
# of `privacy.own_attributes`, which imports torch
OWN_READERS = ("own_coral", "own_race")
UNPROTECTED = "/".join(ORIGINAL)


def own_matcher_params(wildcards):
    """The recipe as plain values: the auxiliary matcher's, of other subjects."""
    check_matcher(wildcards)
    return asdict(own_matcher_recipe(plan_of(wildcards).matcher))


def own_matcher_for(wildcards):
    """The own matcher, where the training faces have subjects."""
    if not tells_subjects(wildcards):
        return {}
    network = rules.own_matcher.output.network
    return {"own_matcher": network.format(dataset=wildcards.dataset)}


def own_evaluators(wildcards):
    """The folder of the evaluators that are trained here."""
    return OWN.format(dataset=wildcards.dataset)


def tested_in(wildcards):
    """The data set whose faces are judged: the second of a population of two."""
    return members(wildcards.dataset)[-1]


def third_parties(wildcards):
    """Names of the third-party evaluators: the config's, and a matcher that the SAN's loss uses."""
    names = list(BENCHMARK.hiding.evaluators)
    used = matcher_in_loss(wildcards)
    return names if used in ("own", *names) else [*names, used]


def receipt_for(wildcards):
    """The receipt of third-party evaluators, where any are asked for, and their registry."""
    asked = third_parties(wildcards)
    return {"receipt": RECEIPT, "registry": EVALUATORS} if asked else {}


def auxiliaries_for(wildcards):
    """The auxiliary networks of the condition's seed; no matcher where the SAN's loss has another,
    or where the training faces have no subjects."""
    own = matcher_in_loss(wildcards) == "own" and tells_subjects(wildcards)
    kinds = ("gender", "matcher") if own else ("gender",)
    return [network_file(wildcards, kind) for kind in kinds]


def originals_for(wildcards):
    """The unprotected faces of the same seed and their embeddings; none for those themselves."""
    if f"{wildcards.protector}/{wildcards.mode}" == UNPROTECTED:
        return {}
    home = HIDING.format(dataset=wildcards.dataset)
    folder = f"{home}/seed{wildcards.seed}/{UNPROTECTED}"
    files = {
        "original": f"{folder}/images.npy",
        "original_index": f"{folder}/index.parquet",
    }
    return files | {"original_scores": f"{folder}/scores"}


def pair_list_for(wildcards):
    """What the authors' pair list of the tested data set is read from, where it has one."""
    name = tested_in(wildcards)
    if "pairs" not in find(DATASETS, name).lists:
        return {}
    left_out = Path(packed_for_privacy(wildcards)["index"]).with_name("left_out.csv")
    sources = rules.fetch_one.output.sources.format(dataset=name)
    return {"sources": sources, "left_out": str(left_out)}


def tested_params(wildcards):
    """The entry of the tested data set as plain values."""
    return asdict(find(DATASETS, tested_in(wildcards)))


def condition_files(wildcards, protector, mode):
    """The files of a condition of the same data set and seed."""
    known = {"dataset": wildcards.dataset, "seed": wildcards.seed}
    folder = CONDITION.format(protector=protector, mode=mode, **known)
    return [f"{folder}/{name}" for name in ("card.json", "images.npy", "index.parquet")]


def knowledge_of(wildcards):
    """What attackers know of a SAN, also of one in an ensemble or a series: its network, prototypes
    and the index that these follow; of one with modes the faces in all of them as well.
    """
    # torch takes seconds to import: only where there is something to attack
    if wildcards.protector not in ("san", "ensemble", "flowsan"):
        return {}
    from softbio.privacy.attacks.base import has_modes, is_san
    from softbio.privacy.models.san import MODES

    protection = wildcards.protector, wildcards.mode
    if not is_san(*protection):
        return {}
    files = networks_of(wildcards) | {"index": packed_for_privacy(wildcards)["index"]}
    if not has_modes(*protection):
        (files["san"],) = files.pop("members")
        return files
    modes = [condition_files(wildcards, "san", mode) for mode in MODES]
    return files | {"modes": sum(modes, [])}


def attacked_files(wildcards):
    """The condition, and the same faces unprotected."""
    return {
        "condition": condition_files(wildcards, wildcards.protector, wildcards.mode),
        "original": condition_files(wildcards, "none", "original"),
    }


HALF = f"{RESULTS}/hiding/{{dataset}}"


def conditions_of(wildcards, conditions):
    """The conditions of a population."""
    below = HIDING.format(dataset=wildcards.dataset)
    return [folder for folder in conditions if folder.startswith(f"{below}/")]


def sans_of(wildcards):
    """run.json of the SANs that made a population's conditions."""
    folders = (Path(folder) for folder in conditions_of(wildcards, CONDITIONS))
    seeds = dict.fromkeys(f.parents[1] for f in folders if f.parent.name == "san")
    return [f"{seed}/networks/san/run.json" for seed in seeds]


def cards_of(wildcards):
    """The card of each condition; its other files lie beside it."""
    return [f"{folder}/card.json" for folder in conditions_of(wildcards, CONDITIONS)]


def scored_of(wildcards):
    """Faces and scores of all conditions."""
    own = conditions_of(wildcards, CONDITIONS)
    names = ("images.npy", "index.parquet", "scores")
    return [f"{folder}/{name}" for folder in own for name in names]


def attacks_of(wildcards):
    """The attacks on some of them."""
    return [f"{folder}/attacks" for folder in conditions_of(wildcards, ATTACKED)]


def diversity_of(wildcards):
    """How the classifiers of its ensembles differ."""
    home = HIDING.format(dataset=wildcards.dataset)
    own = BENCHMARK.hiding.compared if wildcards.dataset == POPULATION else []
    return [f"{home}/{folder}" for folder in own]


def prototypes_shown(wildcards):
    """The prototypes of a population's ensemble and series; none where it has neither."""
    if not {"ensemble", "flowsan"} & set(BENCHMARK.hiding.protectors):
        return []
    recipe = stage_plan(BENCHMARK.privacy, wildcards.dataset, 0, 1).san
    return prototypes_for(wildcards.dataset, recipe)["prototypes"]


HALVES = [HALF.format(dataset=POPULATION)] if CONDITIONS else []


def classifiers_of(wildcards):
    """The auxiliary classifiers of an ensemble."""
    numbers = member_numbers(BENCHMARK.privacy)
    folders = [classifier_folder(wildcards.diversity, number) for number in numbers]
    return [network_file(wildcards, folder) for folder in folders]


def networks_behind(wildcards):
    """The networks that make a condition, and those in their losses."""
    files = networks_of(wildcards)
    sans = [*files.get("members", []), *([files["san"]] if "san" in files else [])]
    found = sans + [
        files[need] for need in ("classifier", "generator") if need in files
    ]
    home = NETWORK.format(dataset=wildcards.dataset, seed=wildcards.seed)
    for san in sans:
        folder = Path(san).parent.relative_to(home).as_posix()
        found.append(network_file(wildcards, judge_folder(folder)))
    matcher = matcher_of(wildcards).get("matcher")
    return found + [matcher] * bool(matcher and (sans or "generator" in files))


def trained_of(wildcards):
    """run.json of the networks behind a population's conditions, and of compared classifiers."""
    if wildcards.dataset != POPULATION:
        return []
    known, found = {"dataset": POPULATION}, []
    for condition in BENCHMARK.hiding.conditions():
        found += networks_behind(Wildcards(fromdict=known | asdict(condition)))
    for seed in BENCHMARK.hiding.seeds:
        for diversity in BENCHMARK.hiding.diversity:
            asked = known | {"seed": seed, "diversity": diversity}
            found += classifiers_of(Wildcards(fromdict=asked))
    return [str(Path(file).with_name("run.json")) for file in dict.fromkeys(found)]
