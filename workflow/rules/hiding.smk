# What hiding gender comes to: the score files of a population, judged once for tables, figures and
# claims. Conditions are folders results/{name}/privacy/{population}/seed{s}/{protector}/{mode}.

HALF = f"{RESULTS}/hiding/{{dataset}}"


def conditions_of(wildcards, conditions):
    """Those of a population."""
    below = HIDING.format(dataset=wildcards.dataset)
    return [folder for folder in conditions if folder.startswith(f"{below}/")]


def sans_of(wildcards):
    """run.json of the SANs that made a population's conditions."""
    folders = (Path(folder) for folder in conditions_of(wildcards, CONDITIONS))
    seeds = dict.fromkeys(f.parents[1] for f in folders if f.parent.name == "san")
    return [f"{seed}/networks/san/run.json" for seed in seeds]


def cards_of(wildcards):
    """The card of each condition, beside which all else lies."""
    return [f"{folder}/card.json" for folder in conditions_of(wildcards, CONDITIONS)]


def scored_of(wildcards):
    """Faces and scores of all conditions."""
    own = conditions_of(wildcards, CONDITIONS)
    names = ("images.npy", "index.parquet", "scores")
    return [f"{folder}/{name}" for folder in own for name in names]


def attacks_of(wildcards):
    """What attackers made of some."""
    return [f"{folder}/attacks" for folder in conditions_of(wildcards, ATTACKED)]


HALVES = [HALF.format(dataset=POPULATION)] if CONDITIONS else []


rule hiding:
    input:
        cards=cards_of,
        scored=scored_of,
        attacks=attacks_of,
        sans=sans_of,
        card=card_of_population,
        parts=f"{HIDING}/parts.csv",
        registry=EVALUATORS,
        style=f"{workflow.basedir}/report/figures.mplstyle",
        code=code(
            "conditions",
            "evaluators/registry",
            "intervals",
            "metrics/classification",
            "metrics/rates",
            "metrics/verification",
            "names",
            "page",
            "predictions",
            "privacy/deviations",
            "privacy/recipe",
            "records",
            "redrawn",
            "scores",
            "statistics",
        )
        + package("hiding")
        + package("tables")
        + package("figures"),
    output:
        tables=report(
            directory(f"{HALF}/tables"),
            patterns=["{name}.csv"],
            category="Tables",
            labels={"table": "{name}"},
            caption="../../report/captions/table.rst",
        ),
        figures=report(
            directory(f"{HALF}/figures"),
            patterns=["{name}.svg"],
            category="Figures",
            labels={"figure": "{name}"},
            caption="../../report/captions/figure.rst",
        ),
        # photographs of people stand in no report
        faces=directory(f"{HALF}/faces"),
        claims=f"{HALF}/claims.json",
    log:
        f"{HALF}/hiding.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_packing,
        mem_mb=memory_of_packing,
    message:
        "{wildcards.dataset}: judge what hiding gender comes to, into {output.tables}"
    script:
        "../scripts/hiding.py"
