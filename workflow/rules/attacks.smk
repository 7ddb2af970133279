# attackers who know of the protection, on the protected faces of one condition -> their scores.
# snakemake results/quick/privacy/faces/seed0/san/op/attacks


def condition_files(wildcards, protector, mode):
    """The files of a condition of the same data set and seed."""
    known = {"dataset": wildcards.dataset, "seed": wildcards.seed}
    folder = CONDITION.format(protector=protector, mode=mode, **known)
    return [f"{folder}/{name}" for name in ("card.json", "images.npy", "index.parquet")]


def knowledge_of(wildcards):
    """Against a SAN: its network and prototypes, the index that these follow, and the faces in all
    modes."""
    if wildcards.protector != "san":
        return {}
    # torch takes seconds to import: only where there is something to attack
    from softbio.privacy.san import MODES

    files = [condition_files(wildcards, "san", mode) for mode in MODES]
    index = packed_for_privacy(wildcards)["index"]
    return networks_of(wildcards) | {"index": index, "modes": sum(files, [])}


def attacked_files(wildcards):
    """The condition, and the same faces unprotected."""
    return {
        "condition": condition_files(wildcards, wildcards.protector, wildcards.mode),
        "original": condition_files(wildcards, "none", "original"),
    }


rule attack:
    input:
        unpack(attacked_files),
        unpack(knowledge_of),
        card=card_of_population,
        cnn=rules.own_cnn.output.model,
        hog=rules.own_hog.output.weights,
        matcher=rules.own_matcher.output.network,
        code=code(
            *PRIVACY,
            *TRAINING,
            "scores",
            "evaluators/crop",
            "evaluators/hog_linear",
            "evaluators/interface",
            "evaluators/own",
            "evaluators/registry",
            "methods/ce",
            "metrics/classification",
            "metrics/rates",
            "metrics/verification",
            "predictions",
            "privacy/attack",
            "privacy/attacks/__init__",
            "privacy/attacks/base",
            "privacy/denoiser",
            "privacy/evidence",
            "privacy/learning",
            "privacy/panel",
            "privacy/protected",
            "privacy/protectors/base",
            "privacy/protectors/blur",
            "privacy/readers",
            "privacy/transforms",
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
        runtime=minutes_of_judging,
        mem_mb=memory_of_judging,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        dataset=tested_in,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: attack {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/attack.py"
