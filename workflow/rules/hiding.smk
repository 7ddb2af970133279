# What hiding gender comes to: the score files of a population, judged once for tables, figures and
# claims. Conditions are folders results/{name}/privacy/{population}/seed{s}/{protector}/{mode}.


rule hiding:
    input:
        cards=cards_of,
        scored=scored_of,
        attacks=attacks_of,
        sans=sans_of,
        trained=trained_of,
        diversity=diversity_of,
        prototypes=prototypes_shown,
        card=card_of_population,
        parts=f"{HIDING}/parts.csv",
        registry=EVALUATORS,
        style=of_project("report/figures.mplstyle"),
        code=code(
            "evaluators/registry",
            "metrics/classification",
            "metrics/diversity",
            "metrics/groups",
            "metrics/rates",
            "metrics/verification",
            "privacy/attributes",
            "privacy/deviations",
            "privacy/family",
            "privacy/groups",
            "privacy/models/san",
            "privacy/parts",
            "privacy/plan_recipe",
            "privacy/privacynet_recipe",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/warp",
            "report/page",
        )
        + package(
            "figures", "hiding", "report/hiding", "results", "statistics", "tables"
        ),
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
        # photographs of people are in no report
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
