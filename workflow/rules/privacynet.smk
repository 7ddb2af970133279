# PrivacyNet: one network hides every set of attributes; its ablations are networks of their own.
# snakemake --cores 1 results/quick/privacy/portraits/seed0/privacynet/ga/images.npy
from softbio.sources import PRIVACYNET


rule privacynet:
    input:
        unpack(packed_for_privacy),
        unpack(matcher_of),
        unpack(embedded_for),
        parts=rules.parts.output.parts,
        code=code(*PRIVACYNET),
    output:
        network=f"{NETWORK}/privacynet/{{ablation}}/network.safetensors",
        history=f"{NETWORK}/privacynet/{{ablation}}/history.csv",
        run=f"{NETWORK}/privacynet/{{ablation}}/run.json",
    log:
        f"{NETWORK}/privacynet/{{ablation}}/train.log",
    # the longest training, which waits for no classifier
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
        recipe=privacynet_params,
        device=BENCHMARK.device,
    message:
        "train PrivacyNet ({wildcards.ablation}), {wildcards.dataset}, seed {wildcards.seed}: epochs in {log}"
    script:
        "../scripts/privacynet.py"
