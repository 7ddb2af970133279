# own evaluators -> scores: who judges protected faces, and what they say of each condition.
# snakemake --cores 1 results/quick/privacy/portraits/seed0/san/op/scores
from softbio.sources import PRIVACY, READERS, SCORING, TRAINING


rule own_cnn:
    input:
        unpack(packed_for_privacy),
        parts=rules.parts.output.parts,
        code=code(*TRAINING, *READERS, "methods/ce"),
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
        gpu_slots=gpu_slots,
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
        code=code(*TRAINING, *READERS),
    output:
        weights=f"{OWN}/hog_linear/weights.npz",
    log:
        f"{OWN}/hog_linear/fit.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging(fitting),
        mem_mb=memory_of_judging(fitting),
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
            *READERS,
            "methods/ce",
            "methods/coral",
            "privacy/attributes",
            "privacy/groups",
            "privacy/judging/own_attributes",
        ),
    output:
        # the model lies beside it, where there is something to learn
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
        gpu_slots=gpu_slots,
    params:
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}: train {wildcards.reader}, where ages or races are known: epochs in {log}"
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
        gpu_slots=gpu_slots,
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
        code=code(*TRAINING, *SCORING),
    output:
        scores=directory(f"{CONDITION}/scores"),
    log:
        f"{CONDITION}/score.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_judging(scoring),
        mem_mb=memory_of_judging(scoring),
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        entry=tested_params,
        networks=NETWORK,
        own=own_evaluators,
        evaluators=third_parties,
        matcher_net=matcher_in_loss,
        subjects=tells_subjects,
        comparisons=BENCHMARK.hiding.comparisons,
        device=BENCHMARK.device,
    message:
        "{wildcards.dataset}, seed {wildcards.seed}: score {wildcards.protector}, {wildcards.mode}"
    script:
        "../scripts/score.py"
