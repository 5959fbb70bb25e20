"""What rules about whole programs say, in programs of two processes as their launchers start them."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
if not torch.distributed.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)

everything = pytest.mark.skipif(not os.environ.get("DLGOVERN_FULL"), reason="DLGOVERN_FULL=1 runs every form")
pytestmark = everything
LONG = 120


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start(folder: Path, text: str, *arguments: str, launcher: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text))
    return subprocess.Popen(
        [sys.executable, *launcher, str(path), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def _ends(*programs: subprocess.Popen[str]) -> list[tuple[int, str]]:
    """The exit status and the output of each."""
    return [(program.returncode, out) for program in programs for out, _ in (program.communicate(timeout=LONG),)]


# -- two nodes with one device each ------------------------------------------------------------------------

NODE = """
    import os, torch, torch.distributed as dist
    dist.init_process_group("gloo")
    rank, local, devices = dist.get_rank(), int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    print(rank < devices, local < devices, local == 0, rank == 0)
    dist.barrier()
    dist.destroy_process_group()
"""


def test_on_the_second_node_the_global_rank_is_no_device_and_the_local_rank_writes_too(tmp_path: Path) -> None:  # DLG220, DLG213
    port = str(_port())
    nodes = [
        _start(tmp_path, NODE, launcher=("-m", "torch.distributed.run", "--nnodes=2", f"--node-rank={node}", "--nproc-per-node=1", "--master-addr=127.0.0.1", f"--master-port={port}"))
        for node in range(2)
    ]
    found = [[word == "True" for word in out.split()] for status, out in _ends(*nodes) if status == 0]

    by_global, by_local, node_writes, one_writes = zip(*found, strict=True)
    assert (sorted(by_global), sorted(by_local)) == ([False, True], [True, True])  # an index of a device that is there
    assert (sum(node_writes), sum(one_writes)) == (2, 1)  # writers of one path


# -- an address of its own ---------------------------------------------------------------------------------

JOB = """
    import os, sys, torch.distributed as dist
    if sys.argv[1] == "fixed":
        os.environ["MASTER_PORT"] = sys.argv[2]
    else:
        os.environ.setdefault("MASTER_PORT", sys.argv[2])
    dist.init_process_group("gloo", rank=0, world_size=1)
    print("in", flush=True)
    input()
    dist.destroy_process_group()
"""


@pytest.mark.parametrize(("how", "both"), [("fixed", False), ("a default", True)])
def test_two_jobs_of_one_machine_cannot_share_a_port_that_the_program_fixes(how: str, both: bool, tmp_path: Path) -> None:  # DLG222
    port = str(_port())
    command = [sys.executable, str(tmp_path / "program.py"), how, port]
    (tmp_path / "program.py").write_text(textwrap.dedent(JOB))
    jobs = []
    for _ in range(2):
        told = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_port())}  # what each job's launcher says
        job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=told)
        jobs.append(job)
        assert job.stdout is not None
        began = job.stdout.readline().strip() == "in"
    for job in jobs:
        job.communicate("\n", timeout=LONG)

    assert ([job.returncode == 0 for job in jobs], began) == ([True, both], both)


# -- how a program ends ------------------------------------------------------------------------------------

END = """
    import sys, torch, torch.distributed as dist
    rank, port, how = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    def train():
        dist.all_reduce(torch.ones(1))
        if rank == 1:
            raise ValueError("its own data is broken")
        dist.all_reduce(torch.ones(1))
    if how == "finally":
        try:
            train()
        finally:
            dist.destroy_process_group()
    else:
        train()
"""


@pytest.mark.parametrize("how", ["finally", "no end"])
def test_with_gloo_both_processes_end_however_the_group_does(how: str, tmp_path: Path) -> None:  # DLG256 and DLG223 speak of NCCL
    port = str(_port())
    ends = _ends(*(_start(tmp_path, END, str(rank), port, how) for rank in range(2)))

    assert [status for status, _ in ends] == [1, 1]


# -- what is logged ----------------------------------------------------------------------------------------

LOGS = """
    import sys, torch
    from datetime import timedelta
    from lightning_or import Trainer, LightningModule, DDPStrategy
    class Net(LightningModule):
        def __init__(self, how):
            super().__init__()
            self.net, self.how = torch.nn.Linear(2, 1), how
        def training_step(self, batch, index):
            loss = self.net(batch).sum()
            if self.how == "all" or self.global_rank == 0:
                self.log("loss", loss, sync_dist=True)
            return loss
        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)
    if __name__ == "__main__":
        trainer = Trainer(
            accelerator="cpu", devices=2, max_steps=3, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, strategy=DDPStrategy(process_group_backend="gloo", timeout=timedelta(seconds=8)),
        )
        trainer.fit(Net(sys.argv[1]), torch.utils.data.DataLoader(torch.ones(16, 2), batch_size=2))
"""


@pytest.mark.skipif(not any(map(importlib.util.find_spec, ("lightning", "pytorch_lightning"))), reason="no Lightning")
def test_a_value_that_one_rank_logs_for_all_ends_the_training(tmp_path: Path) -> None:  # DLG242
    package = "lightning.pytorch" if importlib.util.find_spec("lightning") else "pytorch_lightning"
    (tmp_path / "lightning_or.py").write_text(f"from {package} import LightningModule, Trainer\nfrom {package}.strategies import DDPStrategy\n")
    found = [_ends(_start(tmp_path, LOGS, how))[0][0] == 0 for how in ("all", "one")]

    assert found == [True, False]
