# how much the classifiers of an ensemble differ on the faces of a condition
# snakemake results/quick/privacy/faces/seed0/none/original/diversity/e3
from softbio.privacy.family import MEMBERS, member_folder


def classifiers_of(wildcards):
    """The auxiliary classifiers of an ensemble."""
    numbers = range(1, BENCHMARK.privacy.get("members", MEMBERS) + 1)
    folders = [member_folder(wildcards.diversity, number) for number in numbers]
    return [network_file(wildcards, f"{folder}/gender") for folder in folders]


rule diversity:
    input:
        unpack(packed_for_privacy),
        protected=f"{CONDITION}/images.npy",
        protected_index=f"{CONDITION}/index.parquet",
        protected_card=f"{CONDITION}/card.json",
        classifiers=classifiers_of,
        evaluators=package("evaluators"),
        code=code(
            "metrics/diversity",
            "metrics/quality",
            "metrics/rates",
            "metrics/verification",
            "pairs",
            "privacy/auxiliaries",
            "privacy/comparisons",
            "privacy/diversity",
            "privacy/faces",
            "privacy/groups",
            "privacy/panel",
            "privacy/parts",
            "privacy/protected",
            "privacy/protectors/base",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/san",
            "privacy/score",
            "privacy/warp",
            "privacy/weights",
            "scores",
        ),
    output:
        directory(f"{CONDITION}/diversity/{{diversity}}"),
    log:
        f"{CONDITION}/diversity-{{diversity}}.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging,
        mem_mb=memory_of_judging,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        dataset=tested_in,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: how classifiers of {wildcards.diversity} differ on {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/diversity.py"
