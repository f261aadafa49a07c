"""Calls with random tensors in place of gradients: what is asked, and what came of it, read with bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from torch import Tensor

from grader.sandbox.guest.protocol import Frame, FrameError
from grader.sandbox.guest.tensors import pack_tensors, unpack_tensors
from grader.sandbox.question import Question

# One without probes, one with them, and one with them in the student's own shape; and what is tried with sums.
MAX_RUNS = 3
MAX_SUMS = 26
# Of the time for a call, which all runs of one have together.
MOST_OF_A_CALL = 0.5


@dataclass(frozen=True)
class Probing:
    """A question whose function is to be called with probes: by gradient, one set for each of the first calls.

    Only those in `replaced` have their probe put in wherever they are made; any other gets it where it is missing.
    `sums` are for each call random numbers in place of gradients of parameters that an honest formula may read as sums.
    """

    question: Question
    probes: tuple[Mapping[str, Tensor], ...]
    replaced: frozenset[str]
    sums: tuple[tuple[Mapping[str, Tensor], ...], ...] = ()

    def within(self, seconds: float, calls: Sequence[float]) -> Probing:
        """Return it without what is tried with sums, if that takes too long where calls took so many seconds.

        It is the usual one that counts: the first, or one while others are busy, tells little.
        """
        most = max((len(each) for each in self.sums), default=0)
        return self if (MAX_RUNS + most) * median(calls) <= seconds * MOST_OF_A_CALL else replace(self, sums=())

    def pack(self, index: int) -> tuple[dict[str, Any], bytes]:
        """Return what a request says of it, and the tensors."""
        cases, data = [], []
        for number, probes in enumerate(self.probes):
            entries, part = pack_tensors(probes)
            sums = [pack_tensors(each) for each in (self.sums[number] if self.sums else ())]
            about = [{"tensors": own, "length": len(more)} for own, more in sums]
            cases.append({"number": number, "tensors": entries, "length": len(part), "sums": about})
            data += [part, *(more for _, more in sums)]
        return {"index": index, "cases": cases, "replaced": sorted(self.replaced)}, b"".join(data)


@dataclass(frozen=True)
class ProbedRun:
    """One run: `values` are what the student's statements made of the probes in `placed`, and of their own values.

    The first of a call has no probes, but for what was None or raised. One that is not complete raised on its way; one
    that has failed would have without its hooks.
    """

    placed: frozenset[str]
    values: Mapping[str, Tensor]
    is_complete: bool
    has_failed: bool = False


def read_runs(frame: Frame, gradients: Sequence[str]) -> tuple[ProbedRun, ...]:
    """Turn a child's frame into the runs of one call. Raises FrameError if it is anything but a well-formed one."""
    described = frame.message.get("runs")
    if not isinstance(described, list) or len(described) > MAX_RUNS + MAX_SUMS:
        raise FrameError("the answer does not say how the calls with probes went")
    runs, rest = [], memoryview(frame.payload)
    for each in described:
        match each:
            case {
                "placed": list(placed),
                "tensors": entries,
                "length": int(length),
                "complete": bool(),
                "failed": bool(),
            }:
                own, rest = rest[:length], rest[length:]
                values = unpack_tensors(entries, own, gradients)
                runs.append(
                    ProbedRun(
                        frozenset(gradients).intersection(map(str, placed)), values, each["complete"], each["failed"]
                    )
                )
            case _:
                raise FrameError("the answer does not say how a call with probes went")
    if rest:
        raise FrameError("the answer's tensors are not well-formed: bytes are left over")
    return tuple(runs)
