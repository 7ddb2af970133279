"""A real, throw-away Slurm on this one machine: two nodes with two pretended GPUs each.

Debian's slurmd can be started several times under different node names. Memory is not enforced (no
cgroups), and a pretended GPU is a null device whose number a job finds in CUDA_VISIBLE_DEVICES.
What a job leaves behind is ended by its process group, nearest to cgroups: Snakemake within a job,
asked to end twice, can wait for ever for a lock that it holds, and by parentage Slurm would lose
it.
"""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psutil

from tests.processes import until

PROGRAMS = ["munged", "runuser", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol"]
# the clients inside a job lose SLURM_CONF, so that the file must be in its usual place
USUAL = Path("/etc/slurm/slurm.conf")
NODES = {"n1": 17018, "n2": 17019}
CONTROLLER = 17017
CONFIG = """\
ClusterName=softbio
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
AccountingStorageType=accounting_storage/none
ReturnToService=2
SlurmdTimeout=10
KillWait=15
MinJobAge=3600
SchedulerParameters=sched_interval=2,bf_interval=2,defer_batch
PartitionName=main Nodes=ALL Default=YES MaxTime=UNLIMITED State=UP
"""


def why_not() -> str | None:
    """What keeps a Slurm from being started here, with the remedy; None where nothing does."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "starting a Slurm needs root"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return (
            f"not installed: {', '.join(missing)}; on Debian: apt-get install "
            "--no-install-recommends slurmctld slurmd slurm-client munge"
        )
    if USUAL.exists() or USUAL.is_symlink():
        return f"{USUAL} is there: this machine has a Slurm; remove the file if it is left over"
    return None


class Cluster:
    """Slurm's daemons, their files below `folder`, and the questions that an operator asks them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> None:
        """Start everything and wait until both nodes are idle."""
        self.folder.chmod(0o755)
        for name in ("state", *(f"spool.{node}" for node in NODES)):
            (self.folder / name).mkdir()
        host = socket.gethostname().split(".")[0]
        lines = [CONFIG.format(host=host, controller=CONTROLLER, folder=self.folder)]
        gpus = []
        for node, port in NODES.items():
            lines.append(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 "
                "RealMemory=64000 Gres=gpu:pretended:2 State=UNKNOWN\n"
            )
            gpus.append(f"NodeName={node} Name=gpu Type=pretended File={self.folder}/nvidia[0-1]\n")
        for number in range(2):
            # Slurm takes none but character devices for GPUs: this one is another /dev/null
            os.mknod(self.folder / f"nvidia{number}", 0o666 | 0o020000, os.makedev(1, 3))
        (self.folder / "slurm.conf").write_text("".join(lines))
        (self.folder / "gres.conf").write_text("".join(gpus))
        USUAL.parent.mkdir(exist_ok=True)
        USUAL.symlink_to(self.folder / "slurm.conf")
        self._start_munge()
        self.call("slurmctld", "-f", str(self.folder / "slurm.conf"))
        for node in NODES:
            self.start_node(node)
        until(self._all_idle, f"nodes idle; see {self.folder}/*.log", 30)

    def _start_munge(self) -> None:
        folder = self.folder / "munge"
        folder.mkdir(mode=0o755)
        key = folder / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        for path in (folder, key):
            shutil.chown(path, "munge", "munge")
        options = [f"--{name}-file={folder}/{name}" for name in ("key", "pid", "log", "seed")]
        self.call(
            *("runuser", "-u", "munge", "--", "munged", f"--socket={folder}/socket", *options)
        )

    def start_node(self, node: str) -> None:
        """Start the daemon of one node."""
        # the file's own place, not the usual one: gres.conf is looked for beside it
        self.call("slurmd", "-N", node, "-f", str(self.folder / "slurm.conf"))

    def _all_idle(self) -> bool:
        states = self.call("sinfo", "-h", "-N", "-o", "%T", check=False).split()
        return states == ["idle"] * len(NODES)

    def pids(self) -> dict[str, int]:
        """Process id of each daemon by its pid file, which a stopped daemon removes."""
        files = [*self.folder.glob("slurm*.pid"), self.folder / "munge/pid"]
        return {
            file.stem: int(file.read_text())
            for file in files
            if file.exists() and file.read_text().strip()
        }

    def stop(self) -> None:
        """Cancel all jobs, stop each daemon by its pid file and take the configuration away."""
        if "slurmctld" in self.pids():
            self.call("scancel", "--user=root", check=False)
            until(lambda: not self.queued(), "queue empty", 60)
        for pid in self.pids().values():
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGTERM)
        until(lambda: not self.pids(), f"daemons stopped; see the pid files in {self.folder}", 30)
        USUAL.unlink(missing_ok=True)

    def crash_node(self, node: str) -> None:
        """Kill a node's daemon and all that runs under it, at once, as a power failure would."""
        daemon = psutil.Process(self.pids()[f"slurmd.{node}"])
        steps = [job for job in self.queued() if self.job(job).get("NodeList") == node]
        victims = [daemon]
        for process in psutil.process_iter(["name", "cmdline"]):
            title = " ".join(process.info["cmdline"] or [])
            # the keeper of a step is called "slurmstepd: [JOB.STEP]"
            if any(title.startswith(f"slurmstepd: [{job}.") for job in steps):
                victims += [process, *process.children(recursive=True)]
        for victim in victims:
            if victim.is_running():
                victim.kill()
        (self.folder / f"slurmd.{node}.pid").unlink()

    def call(self, *command: str, check: bool = True) -> str:
        """Output of a command; AssertionError with its errors where it fails and `check` is set."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def queued(self) -> list[str]:
        """Ids of the jobs that wait, run or end."""
        return self.call("squeue", "-h", "-o", "%i", check=False).split()

    def job(self, job: str) -> dict[str, str]:
        """Slurm's own record of a job: JobState, Restarts, NodeList, TimeLimit and so on."""
        words = self.call("scontrol", "-o", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def node_state(self, node: str) -> str:
        """State of a node, such as idle, mixed or down*."""
        return self.call("sinfo", "-h", "-N", "-n", node, "-o", "%T").strip()
