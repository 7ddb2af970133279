"""The README's command on a real Slurm, with one fault for each of three runs.

All three runs are held once two epochs are behind them; then one is cancelled, the node of another
loses its power, and the third is left to its time limit. At the end all is as in a local run.
"""

import os
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from softbio.files import sha256
from tests.processes import Trainer, hold, left_over, trainers, until
from tests.project import CONFIG, copy_of_the_project, snakemake, started
from tests.slurm.cluster import Cluster

METHODS = ["ce", "orcnn", "coral"]
GRID = {"datasets": ["faces"], "backbones": ["small8"], "methods": METHODS, "seeds": [0]}
TRAINING = CONFIG["training"] | {"epochs": 200}
SMALL = CONFIG | {"name": "small", "grid": [GRID], "training": TRAINING}
COMMAND = ["--cores", "all", "--profile", "slurm"]
GPU = ["train:gpu=1", "train:gpu_model=pretended"]
PREDICTIONS = [
    f"results/small/age/faces/small8/{name}/seed0/predictions.parquet" for name in METHODS
]


@dataclass
class Play:
    """What happened: the three runs by fault, what Slurm has on record, how it ended."""

    folder: Path
    local: Path
    cancelled: Trainer
    crashed: Trainer
    timed_out: Trainer
    epochs: dict[str, int]
    node_state: str = ""
    records: dict[str, dict[str, str]] = field(default_factory=dict)
    status: int | None = None
    output: str = ""


def cause_the_faults(cluster: Cluster, folder: Path, local: Path) -> Play:
    """Hold the three runs and let each meet its fault."""
    held: dict[str, Trainer] = {}
    until(lambda: len(hold(folder, held)) == 3, "three runs in their third epoch", 300)
    by_node = {cluster.job(trainer.job)["NodeList"]: trainer for trainer in held.values()}
    assert set(by_node) == {"n1", "n2"}
    crashed = by_node["n2"]
    cancelled, timed_out = [one for one in held.values() if one is not crashed]
    epochs = {trainer.job: trainer.epoch for trainer in held.values()}
    play = Play(folder, local, cancelled, crashed, timed_out, epochs)
    cluster.call("scontrol", "update", f"jobid={timed_out.job}", "TimeLimit=1")
    cluster.call("scancel", cancelled.job)
    cluster.crash_node("n2")
    until(lambda: cluster.node_state("n2").startswith("down"), "n2 down", 60)
    play.node_state = cluster.node_state("n2")
    until(lambda: cluster.job(crashed.job)["Restarts"] == "1", "requeued by Slurm", 30)
    # Slurm lets a requeued job wait two minutes; an operator need not
    cluster.call("scontrol", "update", f"jobid={crashed.job}", "StartTime=now")
    return play


@pytest.fixture(scope="module")
def play(cluster, tmp_path_factory) -> Play:
    """The whole play, once; the local run is made while the cluster waits for the time limit."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("cluster"), SMALL)
    local = copy_of_the_project(tmp_path_factory.mktemp("local"), SMALL)
    with open(folder / "output.txt", "w") as output:
        command = started(folder, *COMMAND, output=output)
    try:
        play = cause_the_faults(cluster, folder, local)
        alone = snakemake(local, *PREDICTIONS, cores=1)
        assert alone.returncode == 0, alone.stdout
        until(lambda: command.poll() is not None, "the workflow's end", 480)
    finally:
        if command.poll() is None:
            command.kill()
        print((folder / "output.txt").read_text())
    play.status, play.output = command.returncode, (folder / "output.txt").read_text()
    jobs = (play.cancelled.job, play.crashed.job, play.timed_out.job)
    play.records = {job: cluster.job(job) for job in jobs}
    return play


def test_slurm_has_each_fault_on_record(play):
    assert play.records[play.cancelled.job]["JobState"] == "CANCELLED"
    assert play.records[play.timed_out.job]["JobState"] == "TIMEOUT"
    assert play.records[play.timed_out.job]["TimeLimit"] == "00:01:00"
    assert play.node_state.startswith("down")
    requeued = play.records[play.crashed.job]
    assert (requeued["Restarts"], requeued["JobState"], requeued["NodeList"]) == (
        *("1", "COMPLETED"),
        "n1",
    )


def test_the_command_ends_with_the_report(play):
    assert play.status == 0, play.output
    assert (play.folder / "results/small/report.html").stat().st_size > 10_000


@pytest.mark.parametrize("fault", ["cancelled", "timed_out"])
def test_a_run_asked_to_end_saved_and_went_on_from_there(play, fault):
    run = getattr(play, fault).run
    resume = re.escape(str(run.relative_to(play.folder) / "resume.pt"))
    saved = re.search(
        rf"stopped by SIGTERM: the state after (epoch .+) is in {resume}", play.output
    )
    assert saved, play.output
    assert f"resumed after {saved[1]}" in (run / "train.log").read_text()


def test_a_run_that_died_with_its_node_went_on_after_its_last_epoch(play):
    resumed = re.search(
        r"resumed after epoch (\d+)\n", (play.crashed.run / "train.log").read_text()
    )
    # an epoch is saved just before the log tells of it
    assert int(resumed[1]) - play.epochs[play.crashed.job] in (0, 1)


@pytest.mark.parametrize("predictions", PREDICTIONS)
def test_predictions_are_those_of_a_local_run(play, predictions):
    assert sha256(play.folder / predictions) == sha256(play.local / predictions)


def test_a_gpu_is_given_and_ctrl_c_cancels(play, cluster):
    """A run beside the grid, asked for with a GPU of a model, and interrupted."""
    cluster.start_node("n2")
    target = PREDICTIONS[0].replace("seed0", "seed1")
    command = started(play.folder, target, *COMMAND, "--set-resources", *GPU)
    try:
        trainer = until(lambda: next(iter(trainers(play.folder)), None), "training", 180)
        # else it may come to its end before the interrupt comes to Slurm
        trainer.process.suspend()
        record = cluster.job(trainer.job)
        visible = trainer.environment("CUDA_VISIBLE_DEVICES")
        os.kill(command.pid, signal.SIGINT)
        output, _ = command.communicate(timeout=180)
    finally:
        if command.poll() is None:
            command.kill()
    assert "gpu:pretended:1" in record["TresPerJob"]
    assert visible in ("0", "1")
    assert command.returncode != 0, output
    until(lambda: not cluster.queued(), "queue empty", 60)
    assert cluster.job(trainer.job)["JobState"] == "CANCELLED"
    plan = snakemake(play.folder, target, "--dry-run")
    assert plan.returncode == 0, f"still locked: {plan.stdout}"


def test_nothing_is_left_over(play, cluster):
    time.sleep(2)
    assert cluster.queued() == []
    until(lambda: not left_over(play.folder), f"processes ended: {left_over(play.folder)}", 30)
