"""What happens to workers from outside: their crawler is killed, or its whole process group is sent a signal."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.stage_program import WIDTH
from tests.processes import alive, command, descendants, wait_until

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("stage_program.py")


@contextmanager
def program(folder: Path, *titles: str, executor: str = "processes") -> Iterator["subprocess.Popen[str]"]:
    """Run the program as the leader of a process group of its own; nothing of it outlives the test."""
    arguments = [sys.executable, str(PROGRAM), executor, str(folder), *titles]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


def begun(folder: Path, count: int) -> bool:
    started = folder / "gate.started"
    return started.exists() and started.read_text("utf-8").count("\n") >= count


def say(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


@pytest.mark.parametrize("title", ["p", "hang", "hang in C", "stops"])
def test_when_the_crawler_is_killed_no_process_is_left_within_five_seconds(tmp_path: Path, title: str) -> None:
    if title != "p":
        (tmp_path / "gate").touch()
    with program(tmp_path, title, title) as running:
        wait_until(lambda: begun(tmp_path, WIDTH))
        processes = descendants(running.pid)
        assert len(processes) >= WIDTH + 1, "the workers and the fork server"
        running.kill()
        running.wait()
        wait_until(lambda: not alive(processes), deadline_s=5.0)


def test_when_crawler_and_fork_server_are_killed_no_worker_is_left(tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    with program(tmp_path, "hang in C", "hang in C") as running:
        wait_until(lambda: begun(tmp_path, WIDTH))
        processes = descendants(running.pid)
        servers = {pid for pid in processes if "forkserver" in command(pid) and descendants(pid)}
        running.kill()
        for pid in servers:
            os.kill(pid, signal.SIGKILL)
        running.wait()
        assert len(servers) == 1
        wait_until(lambda: not alive(processes), deadline_s=5.0)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_process_group_reaches_the_parent_only(tmp_path: Path, sent: signal.Signals) -> None:
    with program(tmp_path, *(f"p{n}" for n in range(20))) as running:
        wait_until(lambda: begun(tmp_path, WIDTH))
        os.killpg(running.pid, sent)
        assert [say(running) for _ in range(3)] == ["opening", "warm", sent.name]
        (tmp_path / "gate").touch()
        assert say(running) == "complete 20 replaced 0"
        assert running.wait() == 0


def test_ctrl_c_while_workers_start_reaches_the_parent_only(tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    with program(tmp_path, "p") as running:
        assert say(running) == "opening"
        os.killpg(running.pid, signal.SIGINT)
        heard = 0
        while say(running) == "SIGINT":  # and again whenever the parent has heard the last one
            os.killpg(running.pid, signal.SIGINT)
            heard += 1
        assert running.stdout is not None
        assert running.stderr is not None
        stdout, stderr = running.stdout.read(), running.stderr.read()
        assert (running.wait(), stderr) == (0, "printed by an analyzer\n")
    assert heard > 0
    assert "complete 1 replaced 0" in stdout


def test_what_analyzers_print_does_not_get_between_the_lines_of_stdout(tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    with program(tmp_path, *(f"p{n}" for n in range(20))) as running:
        stdout, stderr = running.communicate(timeout=60)
    assert stdout == "opening\nwarm\ncomplete 20 replaced 0\n"
    assert stderr.count("printed by an analyzer") == 20


def test_workers_load_the_modules_of_their_crawler_and_not_what_lies_about(tmp_path: Path) -> None:
    for name in ("cpu_stage", "tests", "json", "inspect"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong module')", encoding="utf-8")
    (tmp_path / "gate").touch()
    with program(tmp_path, "p") as running:
        stdout, stderr = running.communicate(timeout=60)
    assert stdout == "opening\nwarm\ncomplete 1 replaced 0\n"
    assert stderr == "printed by an analyzer\n"


@pytest.mark.parametrize("executor", ["inline", "threads"])
def test_without_processes_a_page_that_ends_its_worker_ends_the_program(tmp_path: Path, executor: str) -> None:
    (tmp_path / "gate").touch()
    with program(tmp_path, "p", "_exit", "p", executor=executor) as running:
        stdout, _ = running.communicate(timeout=60)
    assert running.returncode == 3
    assert "complete" not in stdout
