"""The delay server as a process of its own, for as long as a ``with`` block lasts."""

import contextlib
from collections.abc import Iterator

from crawler.bench.children import ServerError, server
from crawler.bench.lab.isolation import LabError


@contextlib.contextmanager
def delay_server(delay: float) -> Iterator[list[int]]:
    """Serve answers after ``delay`` seconds on 127.0.0.1; yields the ports.

    Raises:
        LabError: it did not start.
    """
    with contextlib.ExitStack() as stack:
        try:
            serving = stack.enter_context(
                server("the delay server", "crawler.bench.lab.experiments.delay_server", str(delay))
            )
        except ServerError as error:
            raise LabError(str(error)) from error
        yield serving.said
