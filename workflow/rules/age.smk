# train -> predict, for method x backbone x data set x seed, whatever the trait; metrics of ages, and
# the controls.


rule train:
    input:
        unpack(packed_for_run),
        method=code("methods/{method}"),
        code=code(*TRAINING),
    output:
        model=f"{RUN}/model.safetensors",
        history=f"{RUN}/history.csv",
        run=f"{RUN}/run.json",
    log:
        f"{RUN}/train.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of(training_cost),
        mem_mb=memory_of(training_cost),
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        recipe=recipe_params,
        device=BENCHMARK.device,
    message:
        "train {wildcards.dataset}{wildcards.protocol}, {wildcards.backbone}, {wildcards.method}{wildcards.variant}, seed {wildcards.seed}: epochs in {log}"
    script:
        "../scripts/train.py"


rule predict:
    input:
        unpack(packed_for_run),
        model=rules.train.output.model,
        method=code("methods/{method}"),
        code=code(
            "backbones/networks",
            "data/augment",
            "data/feed",
            "engine/device",
            "engine/model",
            "engine/predict",
            "methods/distributions",
            "methods/thresholds",
            "results/predictions",
        ),
    output:
        predictions=f"{RUN}/predictions.parquet",
    log:
        f"{RUN}/predict.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of(prediction_cost),
        mem_mb=memory_of(prediction_cost),
        gpu=int(ASKS_FOR_GPU),
        gpu_slots=gpu_slots,
    params:
        device=BENCHMARK.device,
    message:
        "predict {wildcards.dataset}{wildcards.protocol}, {wildcards.backbone}, {wildcards.method}{wildcards.variant}, seed {wildcards.seed}"
    script:
        "../scripts/predict.py"


rule control:
    input:
        unpack(packed_for_control),
        code=code("engine/controls", "results/names", "results/predictions"),
    output:
        predictions=f"{CONTROL}/predictions.parquet",
    log:
        f"{CONTROL}/control.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "{wildcards.dataset}{wildcards.protocol}: the constant median"
    script:
        "../scripts/control.py"


rule metrics:
    input:
        predictions="{run}/predictions.parquet",
        code=code(
            "metrics/calibration",
            "metrics/ordinal",
            "results/evaluate",
            "results/predictions",
        ),
    output:
        metrics="{run}/metrics.json",
    log:
        "{run}/metrics.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "metrics of {wildcards.run}"
    script:
        "../scripts/metrics.py"
