# parts -> prototypes -> auxiliaries -> san -> protect, for data set x seed x protector x mode.
# snakemake --cores 1 results/quick/privacy/portraits/seed0/san/op/images.npy
from softbio.sources import PRIVACY


rule portraits:
    input:
        aligned=aligned_for,
        code=code(
            "data/alignment/align",
            "evaluators/crop",
            "evaluators/registry",
            "privacy/plan",
            "privacy/population",
        ),
    output:
        images=f"{FACES}/images.npy",
        index=f"{FACES}/index.parquet",
        card=f"{FACES}/card.json",
        left_out=f"{FACES}/left_out.csv",
    log:
        "logs/{dataset}/portraits-{size}.log",
    conda:
        "../../envs/softbio.yaml"
    resources:
        runtime=minutes_of_packing,
        mem_mb=memory_of_packing,
    params:
        entries=entries_of,
    message:
        "{wildcards.dataset}: faces at {wildcards.size} px"
    script:
        "../scripts/portraits.py"


rule parts:
    input:
        unpack(packed_for_privacy),
        code=code("data/splits", "privacy/parts"),
    output:
        parts=f"{HIDING}/parts.csv",
    log:
        f"{HIDING}/parts.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "{wildcards.dataset}: divide the subjects among SAN, evaluators, attacker and test"
    script:
        "../scripts/parts.py"


rule prototypes:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(
            "privacy/groups",
            "privacy/models/san",
            "privacy/parts",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/warp",
        ),
    output:
        prototypes=f"{HIDING}/prototypes.npz",
    log:
        f"{HIDING}/prototypes.log",
    # short, and every SAN waits for it
    priority: 3
    conda:
        "../../envs/softbio.yaml"
    resources:
        runtime=minutes_of_packing,
        mem_mb=memory_of_packing,
    message:
        "{wildcards.dataset}: mean face of each gender"
    script:
        "../scripts/prototypes.py"


rule warp_prototypes:
    input:
        unpack(packed_for_privacy),
        prototypes=rules.prototypes.output.prototypes,
        code=code(
            "privacy/groups",
            "privacy/models/san",
            "privacy/parts",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/warp",
        ),
    output:
        pairs=f"{HIDING}/warped.npy",
    log:
        f"{HIDING}/warp.log",
    priority: 3
    conda:
        "../../envs/softbio.yaml"
    resources:
        runtime=minutes_of_judging(warping),
        mem_mb=memory_of_packing,
    message:
        "{wildcards.dataset}: warp the prototypes to each face"
    script:
        "../scripts/warp_prototypes.py"


rule auxiliary:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(*PRIVACY),
    output:
        network=f"{NETWORK}/{{kind}}/network.safetensors",
        history=f"{NETWORK}/{{kind}}/history.csv",
        run=f"{NETWORK}/{{kind}}/run.json",
    log:
        f"{NETWORK}/{{kind}}/train.log",
    # the longest chain of jobs begins here: it goes first, or one core would be left with it
    priority: 1
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_privacy,
        mem_mb=memory_of_privacy,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        recipe=auxiliary_params,
        device=BENCHMARK.device,
    message:
        "train auxiliary {wildcards.kind} network, {wildcards.dataset}, seed {wildcards.seed}: epochs in {log}"
    script:
        "../scripts/auxiliary.py"


rule embed_originals:
    input:
        unpack(packed_for_privacy),
        unpack(matcher_of),
        parts=rules.parts.output.parts,
        code=code(*PRIVACY),
    output:
        embeddings=f"{HIDING}/originals.safetensors",
    log:
        f"{HIDING}/originals.log",
    # every network that is trained against the matcher waits for it
    priority: 3
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging(embedding),
        mem_mb=memory_of_judging(embedding),
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        size=size_of_san,
        matcher_net=matcher_in_loss,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}: what the matcher in the loss says of the original faces"
    script:
        "../scripts/embed_originals.py"


use rule embed_originals as embed_originals_of_seed with:
    output:
        embeddings=f"{NETWORK}/matcher/originals.safetensors",
    log:
        f"{NETWORK}/matcher/originals.log",
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: what the matcher in the loss says of the original faces"


rule san:
    input:
        unpack(packed_for_privacy),
        unpack(prototypes_of),
        unpack(judges_of),
        unpack(embedded_for),
        parts=rules.parts.output.parts,
        code=code(*PRIVACY),
    output:
        network=f"{NETWORK}/san/network.safetensors",
        history=f"{NETWORK}/san/history.csv",
        run=f"{NETWORK}/san/run.json",
    log:
        f"{NETWORK}/san/train.log",
    priority: 2
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_privacy,
        mem_mb=memory_of_privacy,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        recipe=san_params,
        device=BENCHMARK.device,
    message:
        "train SAN, {wildcards.dataset}, seed {wildcards.seed}: epochs in {log}"
    script:
        "../scripts/san.py"


rule protect:
    input:
        unpack(packed_for_privacy),
        unpack(networks_of),
        parts=rules.parts.output.parts,
        protector=code("privacy/protectors/{protector}"),
        code=code(
            "privacy/attributes",
            "privacy/faces",
            "privacy/family",
            "privacy/groups",
            "privacy/models/auxiliaries",
            "privacy/models/privacynet",
            "privacy/models/san",
            "privacy/models/weights",
            "privacy/morphing",
            "privacy/parts",
            "privacy/plan_recipe",
            "privacy/privacynet_recipe",
            "privacy/protect",
            "privacy/protectors/base",
            "privacy/prototype_source",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/warp",
        ),
    output:
        images=f"{HIDING}/seed{{seed}}/{{protector}}/{{mode}}/images.npy",
        index=f"{HIDING}/seed{{seed}}/{{protector}}/{{mode}}/index.parquet",
        card=f"{HIDING}/seed{{seed}}/{{protector}}/{{mode}}/card.json",
    log:
        f"{HIDING}/seed{{seed}}/{{protector}}/{{mode}}/protect.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging(protecting),
        mem_mb=memory_of_judging(protecting),
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: protect by {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/protect.py"
