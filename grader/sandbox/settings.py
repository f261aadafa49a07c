"""torch as a submission finds it. Runs in the warm process, or in a child that is started fresh."""

from __future__ import annotations

import sys

import torch


def use_course_settings() -> None:
    """Set what a submission finds set, and its output to come line by line."""
    # What a student's plain torch.zeros(...) gives is float64, as everything in the course is.
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    # Its kernels are written at run time into executable memory, which the box denies.
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call] # torch leaves it bare
    for descriptor, stream in ((1, "stdout"), (2, "stderr")):
        # Line by line, so that what was printed before a crash is not lost with the process.
        file = open(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115 # stays open
        setattr(sys, stream, file)
