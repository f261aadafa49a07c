"""A log of the operators that one call runs: those that run the forward pass again and again stand out.

Runs in the confined child, and in the rehearsal.

An operator that is logged costs some 25 µs, where by itself it takes one or two. So a call is logged where it is worth
it: of a function whose calls take some milliseconds, with inputs that are sent when all plain answers have left. A
derivative that is taken numerically runs the forward pass for every number, and takes its time. Only MAX_OPERATORS are
logged: a call that runs more is ended there, told, and made once more without the log. Where this torch hands out no
kernels, so that its own derivatives cannot be refused (`operators`), every function has its logged call, and they are
named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from grader.sandbox.guest import tensors as own
from grader.sandbox.guest.guard import Watch

MAX_OPERATORS = 10_000
MAX_NAMED = 5
# What a forward pass is made of and no loop over a formula's elements needs more than a few times for each.
NONLINEAR = frozenset(  # easier to read, and to add to, than a list of texts
    """
    exp log pow sqrt rsqrt tanh sigmoid log1p expm1 sin cos erf gelu silu logsumexp _softmax _log_softmax var std
    """.split()  # noqa: SIM905 # see above
)
NONLINEAR |= {f"{name}_" for name in NONLINEAR}  # in place
# Honest functions, 115 of them, have at most 1.0 for each number that goes in, and differences 6 to 324.
MOST_NONLINEAR = 4
COMPLEX = (torch.complex128, torch.complex64)
FORWARD_MODE = ("_make_dual", "_unpack_dual", "_fw_primal")


class LogFullError(BaseException):
    """Ends a call whose log is full; no `except Exception` of a submission is in its way."""


class OperatorLog(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it bare
    """Counts the operators of a call, and turns suspicious ones into flags when it ends."""

    def __init__(self, watch: Watch, call_operator: Callable[..., Any], inputs: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it bare
        self.watch = watch
        self.inputs = inputs  # how many numbers go into the call
        self.nonlinear = self.complex = 0
        self.call_operator = call_operator
        self.count = 0
        self.backward: Counter[str] = Counter()
        self.forward_mode: Counter[str] = Counter()
        self.by_engine = 0
        self.tracked = 0
        # Held here: the submission may give torch's own names to something else.
        self.graph_task = torch._C._current_graph_task_id
        self.is_tracking = torch.is_grad_enabled
        self.probe = torch.zeros(1)

    @property
    def is_full(self) -> bool:
        """Whether the call ran more operators than are logged."""
        return self.count > MAX_OPERATORS

    def log(
        self,
        func: Any,
        types: Sequence[type],  # noqa: ARG002 # torch passes it
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Note one operator and run it."""
        self.count += 1
        if self.is_full:
            raise LogFullError
        name = func.__name__
        if "backward" in name:
            self.backward[name] += 1
        elif name.startswith(FORWARD_MODE):
            self.forward_mode[name] += 1
        self.by_engine += self.graph_task() != -1
        self.tracked += self.is_tracking()
        # Not func(...): the guard has put a refusal there.
        result = self.call_operator(func, *args, **(kwargs or {}))
        if type(result) is Tensor:
            if name.partition(".")[0] in NONLINEAR:
                self.nonlinear += own.numel(result)
            # Whoever differentiates by a complex step takes the real or the imaginary part in the end.
            self.complex += own.dtype(result) not in COMPLEX and any(
                type(each) is Tensor and own.dtype(each) in COMPLEX for each in args
            )
        return result

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        before, self.count = self.count, 0
        self.probe.neg()
        if self.count == 0:
            self.watch.note("log_switched_off", "the log of operators saw nothing of an operator that was run")
        self.count = before
        super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call] # torch leaves it bare
        for flag, found in (("backward_operator", self.backward), ("forward_mode", self.forward_mode)):
            if found:
                named = ", ".join(f"{name} {times}x" for name, times in found.most_common(MAX_NAMED))
                self.watch.note(flag, f"among {self.count} operators: {named}")
        if self.by_engine:
            self.watch.note("autograd_engine", f"autograd's engine ran {self.by_engine} of {self.count} operators")
        if self.is_full:
            self.watch.note("log_full", f"more than {MAX_OPERATORS} operators: what came behind them was not seen")
        if self.nonlinear > MOST_NONLINEAR * self.inputs:
            each = f"{self.nonlinear} numbers out of exp, log, tanh and the like for {self.inputs} that go in"
            self.watch.note("forward_repeated", f"{each}: as if the forward pass ran for every one of them")
        if self.complex:
            self.watch.note("complex_numbers", f"{self.complex} of {self.count} operators took a part of complex ones")
        if self.tracked:
            self.watch.note("gradient_tracking", f"{self.tracked} of {self.count} operators ran with tracking on")


# Set here: a method of this name in the class's own body torch would wrap, and load its compiler at the first operator.
OperatorLog.__torch_dispatch__ = OperatorLog.log  # type: ignore[assignment, method-assign] # torch says less
