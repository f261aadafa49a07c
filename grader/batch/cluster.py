"""An executor on other machines: dask.distributed, for who outgrows one."""

from __future__ import annotations

import ipaddress
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, Self

from grader.errors import UsageError

CONNECT_SECONDS = 10


class Cluster:
    """A dask scheduler, asked for an executor; use it as a context manager.

    `address` is HOST:PORT on this machine, or tls://HOST:PORT with dask's own configuration of TLS: what
    travels is students' work, and whoever reaches a scheduler can run code on its workers. Raises UsageError
    for another address, and if no scheduler listens there.
    """

    def __init__(self, address: str) -> None:
        if not address.startswith("tls://") and not _is_loopback(address):
            text = f"{address}: only a scheduler on this machine (127.0.0.1) or one with TLS (tls://HOST:PORT) is used"
            raise UsageError(f"dask:{text}")
        try:
            import distributed
        except ImportError as error:
            text = "dask is not installed; pip install 'backprop-grader[cluster]'"
            raise UsageError(text) from error
        connect: Any = distributed.Client  # untyped
        try:
            self._client: Any = connect(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"no dask scheduler answers at {address}: {error}") from error
        # A submission is one task: nothing depends on its result, so dask may forget it.
        self.executor: Executor = self._client.get_executor(pure=False, retries=0)

    @property
    def slots(self) -> int:
        """How many tasks the workers do at once."""
        return sum(self._client.nthreads().values()) or 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.executor.shutdown(wait=False)
        self._client.close(timeout=2)


def _is_loopback(address: str) -> bool:
    host = address.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
