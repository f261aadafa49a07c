"""Calls that are timed from outside: of a student's function, and of autograd. Runs in the confined child only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from grader.sandbox.guest.call import Callee, Reply, Room, explain, gather
from grader.sandbox.guest.guard import AutogradRefusedError, Guard
from grader.sandbox.guest.inputs import Form


@dataclass
class TimedBlock:
    """Calls to make in one go, timed from outside: all is ready before, nothing is looked at until after."""

    thunks: Sequence[Callable[[], Any]]
    returned: Sequence[Any] = ()
    error: BaseException | None = field(default=None)

    def run(self) -> None:
        """Make all the calls."""
        try:
            self.returned = [thunk() for thunk in self.thunks]
        except BaseException as error:  # noqa: BLE001 # it is told when the block is looked at
            self.error = error

    def reply(self, index: int, gradients: Sequence[str], files: Collection[str], room: Room) -> Reply:
        """Return what one of the calls gave, as the answer to a single call."""
        if self.error is not None:
            return explain(self.error, files)
        return gather(self.returned[index], Callee(self.thunks[index], Form(()), gradients, files, room))


def function_block(
    function: Any, calls: Sequence[Mapping[str, Any]], guard: Guard, files: Collection[str]
) -> TimedBlock:
    """Return a block of calls of a student's function, which ends at the first one that calls autograd."""

    def thunk(arguments: Mapping[str, Any]) -> Callable[[], Any]:
        def run() -> Any:
            with guard.watch(files) as watch, guard.inference:
                returned = function(**arguments)
            if watch.refusal:
                raise AutogradRefusedError(watch.refusal)
            return returned

        return run

    return TimedBlock([thunk(arguments) for arguments in calls])


def autograd_block(
    forward: Mapping[str, str], calls: Sequence[Mapping[str, Any]], gradients: Sequence[str]
) -> TimedBlock:
    """Return a block of autograd's backward passes over a reference forward, given as source and name.

    It runs in a sibling without a line of a student's. The forward passes are run here, outside the timed part, on the
    inputs in each call's `cache`.
    """
    module: dict[str, Any] = {"torch": torch}
    exec(forward["source"], module)  # noqa: S102 # the course's own forward, in a child without student code
    names = [name.removeprefix("d") for name in gradients]

    def thunk(arguments: Mapping[str, Any]) -> Callable[[], Any]:
        values = SimpleNamespace(**vars(arguments["cache"]))
        leaves = [getattr(values, name).requires_grad_() for name in names]
        module[forward["name"]](values)
        output: Tensor = getattr(values, forward["output"])
        # Kept, so that every block goes back through the same graph.
        return lambda: torch.autograd.grad(output, leaves, retain_graph=True)

    return TimedBlock([thunk(arguments) for arguments in calls])
