# attackers who know of the protection, on the protected faces of one condition -> their scores.
# snakemake --cores 1 results/quick/privacy/portraits/seed0/san/op/attacks


rule attack:
    input:
        unpack(attacked_files),
        unpack(knowledge_of),
        unpack(own_matcher_for),
        unpack(receipt_for),
        card=card_of_population,
        cnn=rules.own_cnn.output.model,
        hog=rules.own_hog.output.weights,
        evaluators=package("evaluators"),
        code=code(
            *PRIVACY,
            *TRAINING,
            "methods/ce",
            "metrics/classification",
            "metrics/rates",
            "metrics/verification",
            "privacy/attack",
            "privacy/attackers/denoiser",
            "privacy/attackers/learning",
            "privacy/attackers/transforms",
            "privacy/attacks/__init__",
            "privacy/attacks/base",
            "privacy/attributes",
            "privacy/evidence",
            "privacy/judging/own_attributes",
            "privacy/judging/own_evaluators",
            "privacy/judging/panel",
            "privacy/judging/readers",
            "privacy/protected",
            "privacy/protectors/base",
            "privacy/protectors/blur",
            "results/predictions",
            "results/scores",
            "results/subjects",
        )
        + package("privacy/attacks"),
    output:
        directory(f"{CONDITION}/attacks"),
    log:
        f"{CONDITION}/attack.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging(attacking),
        mem_mb=memory_of_judging(attacking),
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        dataset=tested_in,
        own=own_evaluators,
        evaluators=third_parties,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: attack {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/attack.py"
