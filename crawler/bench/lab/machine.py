"""Which machine and which Python the figures are of."""

import contextlib
import importlib.metadata
import os
import platform
import resource
import sys
import sysconfig
from pathlib import Path
from typing import Any

_SPARE = 200


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def most_threads() -> int:
    """Return how many threads the system lets this user start now, with some to spare for others."""
    limits = [resource.getrlimit(resource.RLIMIT_NPROC)[0]]
    for path in ("/proc/sys/kernel/threads-max", "/sys/fs/cgroup/pids.max"):
        with contextlib.suppress(OSError, ValueError):  # not there, or "max"
            limits.append(int(Path(path).read_text(encoding="ascii")))
    return min((limit for limit in limits if limit != resource.RLIM_INFINITY), default=100_000) - _SPARE


def most_sockets() -> int:
    """Return how many sockets one process may have open, with some to spare for its other files."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - _SPARE


def gil_enabled() -> bool:
    """Whether this interpreter runs with the GIL; always so before 3.13."""
    check = getattr(sys, "_is_gil_enabled", None)
    return bool(check()) if check else True


def machine() -> dict[str, Any]:
    """Describe the machine; ``load`` is the run queue of the last minute, of whoever else is busy on it."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": _proc_field("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": cores(),
        "memory_mib": round(int((_proc_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / 1024),
        "load": round(os.getloadavg()[0], 2),
    }


def python_build() -> dict[str, Any]:
    """Describe the interpreter, and whether its threads share one lock."""
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "build": " ".join(platform.python_build()),
        "compiler": platform.python_compiler(),
        "free_threaded_build": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "gil": "enabled" if gil_enabled() else "disabled",
        "switch_interval_ms": round(sys.getswitchinterval() * 1e3, 3),
        "uvloop": importlib.metadata.version("uvloop"),
    }


def _proc_field(path: str, name: str) -> str | None:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
