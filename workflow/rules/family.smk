# The networks of the ensemble and of FlowSAN: rules of privacy.smk with other recipes.
# snakemake --cores 1 results/quick/privacy/portraits/seed0/ensemble/average/images.npy
# snakemake --cores 1 results/quick/privacy/portraits/seed0/ensemble/average/diversity/e3
from softbio.sources import SCORING

MEMBER = f"{NETWORK}/{{diversity}}/member{{member}}"
STAGE = f"{NETWORK}/flowsan/stage{{stage}}"


use rule prototypes as prototypes_of_groups with:
    output:
        prototypes=f"{HIDING}/prototypes-{{groups}}.npz",
    log:
        f"{HIDING}/prototypes-{{groups}}.log",
    message:
        "{wildcards.dataset}: mean face of each gender and group ({wildcards.groups})"


use rule warp_prototypes as warp_prototypes_of_groups with:
    input:
        unpack(packed_for_privacy),
        prototypes=rules.prototypes_of_groups.output.prototypes,
        code=code(
            "privacy/groups",
            "privacy/models/san",
            "privacy/parts",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/warp",
        ),
    output:
        pairs=f"{HIDING}/warped-{{groups}}.npy",
    log:
        f"{HIDING}/warp-{{groups}}.log",
    message:
        "{wildcards.dataset}: warp the prototypes of its group ({wildcards.groups}) to each face"


use rule auxiliary as member_auxiliary with:
    output:
        network=f"{MEMBER}/{{kind}}/network.safetensors",
        history=f"{MEMBER}/{{kind}}/history.csv",
        run=f"{MEMBER}/{{kind}}/run.json",
    log:
        f"{MEMBER}/{{kind}}/train.log",
    wildcard_constraints:
        kind="gender",
    message:
        "train gender classifier {wildcards.member} of ensemble {wildcards.diversity}, {wildcards.dataset}, seed {wildcards.seed}: epochs in {log}"


use rule san as member_san with:
    output:
        network=f"{MEMBER}/san/network.safetensors",
        history=f"{MEMBER}/san/history.csv",
        run=f"{MEMBER}/san/run.json",
    log:
        f"{MEMBER}/san/train.log",
    message:
        "train SAN {wildcards.member} of ensemble {wildcards.diversity}, {wildcards.dataset}, seed {wildcards.seed}: epochs in {log}"


use rule san as flowsan_stage with:
    input:
        unpack(packed_for_privacy),
        unpack(prototypes_of),
        unpack(judges_of),
        unpack(embedded_for),
        before=stages_before,
        parts=rules.parts.output.parts,
        code=code(*PRIVACY),
    output:
        network=f"{STAGE}/network.safetensors",
        history=f"{STAGE}/history.csv",
        run=f"{STAGE}/run.json",
    log:
        f"{STAGE}/train.log",
    wildcard_constraints:
        stage=r"[2-9]|[1-9]\d+",
    # each waits for the one before
    priority: 3
    message:
        "train stage {wildcards.stage} of FlowSAN, {wildcards.dataset}, seed {wildcards.seed}: epochs in {log}"


rule diversity:
    input:
        unpack(packed_for_privacy),
        protected=f"{CONDITION}/images.npy",
        protected_index=f"{CONDITION}/index.parquet",
        protected_card=f"{CONDITION}/card.json",
        classifiers=classifiers_of,
        evaluators=package("evaluators"),
        code=code(*TRAINING, *SCORING, "metrics/diversity", "privacy/judging/diversity"),
    output:
        directory(f"{CONDITION}/diversity/{{diversity}}"),
    log:
        f"{CONDITION}/diversity-{{diversity}}.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging(comparing),
        mem_mb=memory_of_judging(comparing),
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        dataset=tested_in,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: how classifiers of {wildcards.diversity} differ on {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/diversity.py"
