"""Slips in a loop whose passes have names of their own, as h1, h2, ...: each reads the one before it.

A slip in the body of such a loop is made in every pass. `{step}` is all of the passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from grader.diagnose.catalogue.kind import Kind, Made, slip

# From which value to which; whether what goes back there is kept.
Keep = Callable[[str, str], bool]


@dataclass(frozen=True)
class Loop:
    """The passes of a loop in order, what the first one begins with, and the value that is looked at.

    `walk` goes back through all of them and leaves out what is not kept; it also takes what a pass is to
    multiply by, and where to take a slope, in place of what the pass before it made.
    """

    passes: tuple[str, ...]
    start: str
    value: str
    walk: Callable[[Keep], Tensor | None]
    walk_past: Callable[[], Iterator[tuple[str, Tensor]]]
    walk_with: Callable[[Callable[[int], str]], Tensor | None]
    walk_slope_before: Callable[[], Tensor | None]
    walk_forward: Callable[[], Tensor | None]

    def only(self, some: tuple[str, ...]) -> Tensor | None:
        """Go back with what these passes alone give to the value."""
        return self.walk(lambda step, read: read != self.value or step not in self.passes or step in some)


@slip()
def not_handed_back(at: Loop) -> Made:
    """Your {d} leaves out what each step hands back to the one before it. Each of {step} also makes the next one, and
    what comes back from there is added.
    """
    return at.walk(lambda step, read: not (step in at.passes and read in at.passes))


@slip()
def last_output_only(at: Loop) -> Made:
    """Your {d} starts from what came back to the last of {step} and forgets the others. Each of them is an output by
    itself, so its own upstream gradient is added at every step.
    """
    return at.walk(lambda step, read: step in at.passes or read not in at.passes[:-1])


@slip()
def last_pass_alone(at: Loop) -> Made:
    """Your {d} goes back through the last of {step} and stops there. The walk goes on to the first one."""
    return at.walk(lambda _, read: read not in at.passes[:-1])


@slip()
def first_step_only(at: Loop) -> Made:
    """Your {d} has the part of the first of {step} only. All of them share {read}, so their parts add up; a loop that
    walks back and assigns keeps the one of the first.
    """
    return at.only(at.passes[:1])


@slip()
def last_step_only(at: Loop) -> Made:
    """Your {d} has the part of the last of {step} only. All of them share {read}, so their parts add up."""
    return at.only(at.passes[-1:])


@slip()
def first_step_left_out(at: Loop) -> Made:
    """Your {d} leaves out the part of the first of {step}, which begins with {detail}. All parts add up; look at where
    the loop ends.
    """
    found = at.only(at.passes[1:])
    return None if found is None else [(at.start, found)]


@slip()
def last_step_left_out(at: Loop) -> Made:
    """Your {d} leaves out the part of the last of {step}. All parts add up; look at where the loop begins."""
    return at.only(at.passes[:-1])


@slip()
def handed_back_past(at: Loop) -> Made:
    """In your {d}, what each of {step} hands back to the one before it has not been through {detail}. It lies between
    the two.
    """
    return at.walk_past()


@slip()
def slope_of_the_step_before(at: Loop) -> Made:
    """Your {d} takes the slope in each of {step} at what the step began with. It is a matter of what the step made."""
    return at.walk_slope_before()


@slip()
def state_of_the_same_step(at: Loop) -> Made:
    """Your {d} multiplies by what each of {step} made. The matrix product was with what the step began with, which is
    one earlier.
    """
    return at.walk_with(lambda place: at.passes[place])


@slip()
def state_of_the_start(at: Loop) -> Made:
    """Your {d} multiplies by {detail} in every one of {step}. Only the first of them begins with it."""
    found = at.walk_with(lambda _: at.start)
    return None if found is None else [(at.start, found)]


@slip()
def state_of_the_end(at: Loop) -> Made:
    """Your {d} multiplies by the last of {step} where the first one begins with {detail}. Look at an index of -1."""
    found = at.walk_with(lambda place: at.passes[place - 1])
    return None if found is None else [(at.start, found)]


@slip()
def walked_forward(at: Loop) -> Made:
    """Your {d} walks from the first of {step} to the last. What comes back arrives from later steps, so the walk begins
    with the last one.
    """
    return at.walk_forward()


KINDS: tuple[Kind[Loop], ...] = (
    not_handed_back,
    last_output_only,
    last_pass_alone,
    first_step_only,
    last_step_only,
    first_step_left_out,
    last_step_left_out,
    handed_back_past,
    slope_of_the_step_before,
    state_of_the_same_step,
    state_of_the_start,
    state_of_the_end,
    walked_forward,
)
