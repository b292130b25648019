"""What a process tree uses, held against what was really done."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from crawler.bench.matrix import tree
from crawler.bench.matrix.sampling import Sampler

GRANDCHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
sys.stdout.write(child.stdout.readline().decode()); sys.stdout.flush()
sys.stdin.read()
child.stdin.close(); child.wait()
"""
BUSY = """
import sys, threading, time
while time.process_time() < 0.3: pass
kept = bytearray(50_000_000)
wait = threading.Event()
threads = [threading.Thread(target=wait.wait, daemon=True) for _ in range(5)]
[thread.start() for thread in threads]
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def family() -> "Iterator[subprocess.Popen[bytes]]":
    """A child whose own child has burnt 0.3 s of CPU, holds 50 MB, and has six threads."""
    command = [sys.executable, "-c", GRANDCHILD, BUSY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"ready\n"
            yield child
        finally:
            child.stdin.close()
            child.wait()


def test_descendants_are_found_and_those_that_ended_are_not() -> None:
    with family() as child:
        below = list(tree.descendants(os.getpid()))
        assert child.pid in below
        assert len(list(tree.descendants(child.pid))) == 1
    assert child.pid not in list(tree.descendants(os.getpid()))


def test_cpu_of_descendants_counts_while_they_live_and_after() -> None:
    before = tree.use()
    with family():
        alive = tree.use().since(before)
    ended = tree.use().since(before)
    for used in (alive, ended):
        assert used.user_s + used.system_s > 0.25
        assert used.switches > 0


def test_own_cpu_counts() -> None:
    before = tree.use()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert tree.use().since(before).user_s + tree.use().since(before).system_s >= 0.04


def test_memory_counts_shared_pages_once() -> None:
    with family() as child:
        pids = [child.pid, *tree.descendants(child.pid)]
        together = tree.memory(pids)
        assert together is not None
        assert 50_000_000 < together <= sum(tree.stat(pid).rss for pid in pids)
    assert tree.memory(pids) is None


def test_a_process_that_is_gone_uses_nothing() -> None:
    with family() as child:
        pass
    assert tree.stat(child.pid) == (0.0, 0.0, 0, 0)


def test_a_sampler_sees_the_whole_tree() -> None:
    with family() as child:
        sampler = Sampler(child.pid)
        sampler.sample()
    sampler.sample()
    assert sampler.peak_rss > 50_000_000
    assert sampler.peak_threads == 1 + 6
    assert len(sampler.cpu) == 2
    assert sampler.cpu[0][1] > 0.25


RESTLESS = """
import subprocess, sys, threading
going = True
def churn():
    while going:
        threads = [threading.Thread(target=lambda: None) for _ in range(20)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
child = None
def start():
    global child
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    ready.set()
    over.wait()
ready, over = threading.Event(), threading.Event()
keeper = threading.Thread(target=start)
threading.Thread(target=churn).start()
keeper.start()
ready.wait()
print("ready", flush=True)
sys.stdin.read()
going = False
over.set()
child.stdin.close()
child.wait()
"""


def test_threads_that_end_meanwhile_hide_nobody() -> None:
    """The child was started by a thread that the kernel lists after some of those that come and go."""
    command = [sys.executable, "-c", RESTLESS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        try:
            assert parent.stdout.readline() == b"ready\n"
            assert {len(list(tree.descendants(parent.pid))) for _ in range(2_000)} == {1}
        finally:
            parent.stdin.close()
