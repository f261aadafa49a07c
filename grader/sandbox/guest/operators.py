"""Torch's own derivatives, refused while a call is watched, whatever way leads to them. Runs in the confined child.

Below the functions of torch, its compiled code and its scripts lie operators, for each of which the dispatcher looks up
a kernel. Those with "backward" in their names are other people's backward passes, and a few make the dual numbers of
forward mode: no honest backward pass runs one. Each of these kernels is replaced by one that asks first. So every call
is covered, there is nothing to choose against, and honest code pays nothing, because nothing that it calls is replaced.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch

# What gets a number out of a complex one: a derivative by a complex step ends there, and no honest gradient does.
COMPLEX = ("view_as_real", "angle")
FORWARD_MODE = ("_make_dual", "_fw_primal", "_unpack_dual")


def replace_kernels(ask: Callable[[str], object]) -> torch.library.Library | None:
    """Have `ask` called with an operator's name before torch computes a derivative by it; it refuses by raising.

    Return what keeps this in force as long as it is held, or None where this torch does not hand out kernels, so that
    nothing could be computed by them outside of a call either.
    """
    if not hasattr(torch.library, "get_kernel"):
        return None
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call] # torch leaves it bare
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a kernel is replaced
        for name in derivative_operators():
            try:
                kernel = torch.library.get_kernel(f"aten::{name}", "CPU")
            except RuntimeError:
                continue  # it can't be computed here, by nobody
            library.impl(name, _asking(name, kernel, ask), "CPU", with_keyset=True)  # type: ignore[no-untyped-call] # as above
    return library


def derivative_operators() -> list[str]:
    """Return the names of the operators that compute derivatives, or parts of complex numbers."""
    names = torch._C._dispatch_get_all_op_names()
    own = [name.removeprefix("aten::") for name in names if name.startswith("aten::")]
    return [name for name in own if "backward" in name or name.partition(".")[0] in (*FORWARD_MODE, *COMPLEX)]


def _asking(name: str, kernel: Any, ask: Callable[[str], object]) -> Callable[..., Any]:
    def run(keyset: Any, /, *args: Any, **kwargs: Any) -> Any:
        ask(name.partition(".")[0])
        return kernel.call_boxed(keyset, *args, **kwargs)

    return run
