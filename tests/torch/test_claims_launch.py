"""What the launch rules say about torchrun and torch.distributed.launch holds on the torch that is installed."""

import warnings

import pytest

pytest.importorskip("torch")
run = pytest.importorskip("torch.distributed.run")
launch = pytest.importorskip("torch.distributed.launch")


def config(*words: str):
    """The configuration of the agent, the command of a rank and its arguments."""
    return run.config_from_args(run.parse_args([*words, "train.py"]))


def test_the_static_rendezvous_takes_this_machine_and_node_0_where_nothing_is_said() -> None:  # DLG402
    found, _, _ = config("--nnodes=2", "--nproc-per-node=8")

    assert ("static", "127.0.0.1", 0) == (found.rdzv_backend, found.rdzv_endpoint.partition(":")[0], found.rdzv_configs["rank"])


def test_master_addr_of_the_environment_is_not_read_but_pet_master_addr_is(monkeypatch: pytest.MonkeyPatch) -> None:  # DLG402
    monkeypatch.setenv("MASTER_ADDR", "first-node")
    assert "127.0.0.1" == config("--nnodes=2")[0].rdzv_endpoint.partition(":")[0]

    monkeypatch.setenv("PET_MASTER_ADDR", "first-node")
    assert "first-node" == config("--nnodes=2")[0].rdzv_endpoint.partition(":")[0]


def test_a_rendezvous_without_an_endpoint_is_at_this_machine() -> None:  # DLG402
    from torch.distributed.elastic.rendezvous.utils import parse_rendezvous_endpoint

    assert "" == config("--nnodes=2", "--rdzv-backend=c10d")[0].rdzv_endpoint
    assert "localhost" == parse_rendezvous_endpoint("", 29400)[0]


def test_a_standalone_launcher_on_two_nodes_waits_at_its_own_address() -> None:  # DLG402
    from torch.distributed.elastic.rendezvous import RendezvousParameters, RendezvousTimeoutError
    from torch.distributed.elastic.rendezvous.registry import get_rendezvous_handler

    parameters = RendezvousParameters("c10d", "localhost:0", "job", 2, 2, join_timeout=3, last_call_timeout=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        handler = get_rendezvous_handler(parameters)
        with pytest.raises(RendezvousTimeoutError):
            handler.next_rendezvous()


def test_the_old_launcher_is_deprecated_and_gives_the_script_an_argument() -> None:  # DLG401, DLG418
    old = run.config_from_args(launch.parse_args(["train.py"]))[2]
    new = run.config_from_args(launch.parse_args(["--use-env", "train.py"]))[2]

    assert "deprecated" in launch.main.__deprecated__
    assert (True, False) == tuple(any(word.startswith("--local-rank=") for word in words) for words in (old, new))
    assert not any(word.startswith("--local-rank") for word in config()[2])


def test_torchrun_takes_every_option_of_the_old_launcher_but_use_env(capsys: pytest.CaptureFixture[str]) -> None:  # DLG401
    words = ["--nproc_per_node=2", "--nnodes=1:2", "--master_port=29501", "train.py", "--use_env"]
    old, new = vars(launch.parse_args(words)), vars(run.parse_args(words))

    assert {"use_env"} == old.keys() - new.keys()
    assert {name: old[name] for name in new} == new
    with pytest.raises(SystemExit):
        run.parse_args(["--use_env", "train.py"])
    assert "--use_env" in capsys.readouterr().err
