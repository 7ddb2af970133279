# own evaluators -> scores: who judges protected faces, and what they say of each condition.
# snakemake results/quick/privacy/portraits/seed0/san/op/scores
from softbio.sources import PRIVACY, TRAINING


rule own_cnn:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(
            *TRAINING,
            "evaluators/crop",
            "evaluators/hog_linear",
            "evaluators/interface",
            "evaluators/own",
            "evaluators/registry",
            "methods/ce",
            "privacy/faces",
            "privacy/judging/own_evaluators",
            "privacy/judging/readers",
            "privacy/parts",
            "privacy/recipe",
            "results/predictions",
        ),
    output:
        model=f"{OWN}/own_cnn/model.safetensors",
        history=f"{OWN}/own_cnn/history.csv",
        run=f"{OWN}/own_cnn/run.json",
    log:
        f"{OWN}/own_cnn/train.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_privacy,
        mem_mb=memory_of_privacy,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}: train the own gender classifier: epochs in {log}"
    script:
        "../scripts/own_cnn.py"


rule own_hog:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(
            *TRAINING,
            "evaluators/crop",
            "evaluators/hog_linear",
            "evaluators/interface",
            "evaluators/own",
            "evaluators/registry",
            "privacy/faces",
            "privacy/judging/own_evaluators",
            "privacy/judging/readers",
            "privacy/parts",
            "privacy/recipe",
            "results/predictions",
        ),
    output:
        weights=f"{OWN}/hog_linear/weights.npz",
    log:
        f"{OWN}/hog_linear/fit.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging,
        mem_mb=memory_of_judging,
    message:
        "{wildcards.dataset}: fit HOG and logistic regression"
    script:
        "../scripts/own_hog.py"


rule own_reader:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(
            *TRAINING,
            "evaluators/crop",
            "evaluators/hog_linear",
            "evaluators/interface",
            "evaluators/own",
            "evaluators/registry",
            "methods/ce",
            "methods/coral",
            "privacy/attributes",
            "privacy/faces",
            "privacy/groups",
            "privacy/judging/own_attributes",
            "privacy/judging/own_evaluators",
            "privacy/judging/readers",
            "privacy/parts",
            "privacy/recipe",
            "results/predictions",
        ),
    output:
        # the model lies beside it, where there is anything to learn
        told=f"{OWN}/{{reader}}/told.json",
    log:
        f"{OWN}/{{reader}}/train.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_privacy,
        mem_mb=memory_of_privacy,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}: train {wildcards.reader}, where ages or races are told: epochs in {log}"
    script:
        "../scripts/own_reader.py"


rule own_matcher:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(*PRIVACY),
    output:
        network=f"{OWN}/own_matcher/network.safetensors",
        history=f"{OWN}/own_matcher/history.csv",
        run=f"{OWN}/own_matcher/run.json",
    log:
        f"{OWN}/own_matcher/train.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_privacy,
        mem_mb=memory_of_privacy,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        recipe=own_matcher_params,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}: train the own matcher: epochs in {log}"
    script:
        "../scripts/auxiliary.py"


rule score:
    input:
        unpack(originals_for),
        unpack(receipt_for),
        unpack(pair_list_for),
        unpack(packed_for_privacy),
        unpack(own_matcher_for),
        protected=f"{CONDITION}/images.npy",
        protected_index=f"{CONDITION}/index.parquet",
        protected_card=f"{CONDITION}/card.json",
        auxiliaries=auxiliaries_for,
        own_cnn=rules.own_cnn.output.model,
        own_hog=rules.own_hog.output.weights,
        own_readers=[f"{OWN}/{name}/told.json" for name in OWN_READERS],
        evaluators=package("evaluators"),
        protector=code("privacy/protectors/{protector}"),
        code=code(
            *TRAINING,
            "data/pairs",
            "methods/ce",
            "methods/coral",
            "metrics/quality",
            "metrics/rates",
            "metrics/verification",
            "privacy/attributes",
            "privacy/faces",
            "privacy/groups",
            "privacy/judging/comparisons",
            "privacy/judging/own_attributes",
            "privacy/judging/own_evaluators",
            "privacy/judging/panel",
            "privacy/judging/readers",
            "privacy/judging/score",
            "privacy/judging/score_attributes",
            "privacy/models/auxiliaries",
            "privacy/models/san",
            "privacy/models/weights",
            "privacy/parts",
            "privacy/protected",
            "privacy/protectors/base",
            "privacy/prototype_source",
            "privacy/prototypes",
            "privacy/recipe",
            "privacy/warp",
            "results/attribute_scores",
            "results/predictions",
            "results/scores",
            "results/subjects",
        ),
    output:
        scores=directory(f"{CONDITION}/scores"),
    log:
        f"{CONDITION}/score.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging,
        mem_mb=memory_of_judging,
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=int(COMPUTES_ON_GPU),
    params:
        entry=tested_params,
        networks=NETWORK,
        own=OWN,
        evaluators=third_parties,
        matcher_net=matcher_in_loss,
        subjects=tells_subjects,
        comparisons=BENCHMARK.hiding.comparisons,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: score {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/score.py"
