"""What there is to suspect in a submission: flags for the instructor, which change no score."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from grader.course import Gradient
from grader.course.cases import Case
from grader.flags import weight
from grader.judge.prepared import Prepared
from grader.sandbox.answer import Answer, Flag, Outcome
from grader.sandbox.question import NewCall
from grader.sandbox.session import More
from grader.verdict.compare import Verdict, compare

# Of each new case, as many different answers as a class may share.
REMEMBERED = 100


@dataclass(frozen=True)
class Seen:
    """What was seen beside the answers: further calls, whether there should be any, and what the text says.

    `probed` was seen in calls with random numbers in place of gradients.
    """

    more: More | None
    was_called: bool
    findings: tuple[Flag, ...]
    probed: tuple[Flag, ...] = ()


def find_flags(
    prepared: Prepared, answers: Sequence[Answer], restored: Sequence[Answer], correct: Collection[str], seen: Seen
) -> tuple[Flag, ...]:
    """Return all flags of an exercise, the weightiest first.

    `restored` are the answers in the rubric's order, and `correct` the gradients that are right in every case.
    """
    found = [*seen.findings, *(flag for answer in answers for flag in answer.flags), *seen.probed]
    more = seen.more
    if more is not None:
        found += more.answer.flags
        found += find_other_answer(prepared, more, correct)
        if more.repeated is not None:
            found += more.repeated.flags
            found += find_difference(restored[more.number], more.repeated)
    elif seen.was_called and correct:
        found.append(Flag("not_called_again", "no time was left for a call with new numbers"))
    return by_weight(found)


def find_other_answer(prepared: Prepared, more: More, correct: Collection[str]) -> list[Flag]:
    """Return a flag if what is right in every case is not so with numbers that were never seen before."""
    if more.new is None or not correct:
        return []
    answer, case = more.answer, more.new.case
    if answer.outcome is Outcome.TIMED_OUT:
        return [Flag("not_called_again", f"with new numbers: {answer.message}")]
    wrong = [name for name in _find_wrong(prepared, answer, more.new) if name in correct]
    if not wrong:
        return []
    ended = "" if answer.outcome is Outcome.RETURNED else f", it {answer.outcome.value}: {answer.message[:200]}"
    text = f"right in every case, and with new numbers of case {case.name} not: {', '.join(wrong)}{ended}"
    return [Flag("other_with_new_numbers", text)]


def _find_wrong(prepared: Prepared, answer: Answer, new: NewCall) -> tuple[str, ...]:
    """Return the gradients that are not right with new numbers."""
    gradients = prepared.exercise.gradients
    key = tuple(
        (name, str(tensor.dtype), tuple(tensor.shape), tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        for name, tensor in answer.gradients.items()
    )
    if len(new.known) > REMEMBERED:
        new.known.clear()
    if key not in new.known:
        new.known[key] = tuple(each.name for each in gradients if not _is_right(each, new.case, answer))
    return new.known[key]


def _is_right(gradient: Gradient, case: Case, answer: Answer) -> bool:
    actual = answer.gradients.get(gradient.name)
    return actual is not None and any(
        compare(expected, actual, gradient.tolerance).verdict is Verdict.CORRECT
        for expected in case.truths(gradient.value)
    )


def find_difference(first: Answer, second: Answer) -> list[Flag]:
    """Return a flag if the same call, made twice, did not give the same bits."""
    if second.outcome is Outcome.TIMED_OUT:
        return []  # its operators were logged, which takes time
    if second.outcome is not first.outcome:
        ended = f"{first.outcome.value} at first, {second.outcome.value} when made again"
        return [Flag("nondeterministic", f"the same call: {ended}")]
    names = [
        name
        for name in dict.fromkeys([*first.gradients, *second.gradients])
        if not _is_same(first.gradients.get(name), second.gradients.get(name))
    ]
    return [Flag("nondeterministic", f"the same call made again gave other bits: {', '.join(names)}")] if names else []


def _is_same(first: Tensor | None, second: Tensor | None) -> bool:
    """Return whether two tensors are the same bit for bit: nan is nan, and -0.0 is not 0.0."""
    if first is None or second is None or first.dtype != second.dtype or first.shape != second.shape:
        return False
    return torch.equal(first.reshape(-1).view(torch.uint8), second.reshape(-1).view(torch.uint8))


def by_weight(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """Return flags without repetition, the weightiest first."""
    return tuple(sorted(dict.fromkeys(flags), key=lambda flag: -weight(flag.kind)))
