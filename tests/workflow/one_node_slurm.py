"""A real Slurm with one node on this machine, for as long as a test needs it.

It needs Debian's slurmctld, slurmd, slurm-client, munge and slurm-wlm-basic-plugins, root (slurm.conf must be where the
job step looks for it, /etc/slurm), and a machine whose Slurm is not configured yet.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
TEXT = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MinJobAge=600
KillWait=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why no Slurm can be started here; None if it can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} not installed"
    if os.geteuid() != 0:
        return "needs root"
    return f"{CONFIGURATION} exists" if CONFIGURATION.exists() else None


class Slurm:
    """The running daemons.

    Attributes:
        folder: Their state and logs.
        host: Name of the controller and of its node.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = socket.gethostname().split(".")[0]
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        text = TEXT.format(folder=self.folder, host=self.host, cores=os.cpu_count(), memory=int(0.9 * memory))
        CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
        CONFIGURATION.write_text(text)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        files = [f"--{name}-file={self.folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        self._daemon(
            "munged", "--foreground", "--force", "--num-threads=2", f"--socket={self.folder}/munge.socket", *files
        )
        _wait(lambda: (self.folder / "munge.socket").exists())
        self.start_controller(clean=True)
        self._daemon("slurmd", "-D", "-c", "-N", self.host)
        _wait(lambda: self.ask("sinfo", "-h", "-o", "%T") == "idle")

    def start_controller(self, clean: bool = False) -> None:
        """Start the controller; with `clean`, without the jobs that it knew."""
        self._daemon("slurmctld", "-D", *(["-c"] if clean else []))

    def stop_controller(self) -> None:
        controller = self._daemons.pop(next(n for n, one in enumerate(self._daemons) if "slurmctld" in str(one.args)))
        controller.terminate()
        controller.wait(30)

    def ask(self, *command: str) -> str:
        """Output of a Slurm command, also of one that fails."""
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    def jobs(self) -> list[str]:
        """Ids of jobs that wait or run."""
        return self.ask("squeue", "-h", "-o", "%i").split()

    def stop(self) -> None:
        for job in self.jobs():
            self.ask("scancel", job)
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            daemon.wait(60)
        CONFIGURATION.unlink(missing_ok=True)

    def _daemon(self, *command: str) -> None:
        log = (self.folder / f"{command[0]}.out").open("ab")
        self._daemons.append(subprocess.Popen(command, stdout=log, stderr=log))


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """Start a Slurm with state in `folder` (a short path: sockets have names of at most 107 characters)."""
    cluster = Slurm(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("Slurm did not start; see the logs in its folder")
        time.sleep(0.1)
