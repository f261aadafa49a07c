"""What is said of one gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from grader.report.words.numbers import index, number, shape, times
from grader.results import GradientFeedback
from grader.verdict.compare import Comparison, Verdict

VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.CORRECT: "correct",
        Verdict.FOLLOWS: "follows",
        Verdict.WRONG_VALUES: "wrong values",
        Verdict.NOT_FINITE: "not finite",
        Verdict.WRONG_DTYPE: "wrong dtype",
        Verdict.WRONG_SHAPE: "wrong shape",
        Verdict.NOT_RETURNED: "not returned",
        Verdict.NOT_JUDGED: "not judged",
    }
)

GLYPHS: Mapping[Verdict, str] = MappingProxyType(
    dict.fromkeys(Verdict, "✗") | {Verdict.CORRECT: "✓", Verdict.FOLLOWS: "↳", Verdict.NOT_JUDGED: "?"}
)


def gradient_line(gradient: GradientFeedback) -> str:
    """Say what is wrong with one gradient, with the numbers of the worst place."""
    found = gradient.comparison
    match gradient.verdict:
        case Verdict.CORRECT:
            return "correct"
        case Verdict.FOLLOWS:
            return follows_line([gradient])
        case Verdict.NOT_RETURNED:
            return f"it is {gradient.note}" if gradient.note else "None, or not there"
        case Verdict.WRONG_SHAPE if found is not None:
            return f"shape {shape(found.actual_shape)}, expected {shape(found.expected_shape)}"
        case Verdict.WRONG_DTYPE if found is not None:
            return f"{found.actual_dtype}, expected torch.float64"
        case Verdict.NOT_FINITE if found is not None:
            at = f" at {index(found.worst_index)}" if found.worst_index else ""
            return f"{number(found.actual)}{at}, expected {number(found.expected)}{_case(gradient)}"
        case Verdict.WRONG_VALUES if found is not None:
            return f"{_worst(found)}{_case(gradient)}"
    return VERDICTS[gradient.verdict]


def follows_line(followers: Sequence[GradientFeedback]) -> str:
    """Say of gradients that follow from the same slips that the slip is not theirs."""
    slips = " and ".join(dict.fromkeys(slip for each in followers for slip in each.slips))
    return f"right, given your {slips}; the slip is there" if slips else "right, given what came before it"


def absent_line(absent: Sequence[GradientFeedback]) -> str:
    """Say of gradients that there is none."""
    return f"{names(absent)}: {VERDICTS[Verdict.NOT_RETURNED]}: None, or not there"


def group_followers(followers: Sequence[GradientFeedback]) -> list[list[GradientFeedback]]:
    """Return the gradients that follow, those together that rest on the same slips."""
    groups: dict[tuple[str, ...], list[GradientFeedback]] = {}
    for each in followers:
        groups.setdefault(each.slips, []).append(each)
    return list(groups.values())


def names(gradients: Sequence[GradientFeedback]) -> str:
    """Return the names of gradients as a list in a sentence."""
    return ", ".join(gradient.name for gradient in gradients)


def exact_word(gradient: GradientFeedback) -> str:
    """Say whether a gradient equals autograd's bit for bit."""
    return "-" if gradient.exact is None else "yes" if gradient.exact else "no"


def approx_word(gradient: GradientFeedback) -> str:
    """Say whether a gradient is within the tolerance."""
    found = gradient.comparison
    known = found is not None and found.max_abs_error is not None
    return "-" if not known else "yes" if gradient.verdict is Verdict.CORRECT else "no"


def largest_difference(gradient: GradientFeedback) -> str:
    """Return the largest error of a gradient."""
    return number(gradient.comparison.max_abs_error, 3) if gradient.comparison else "-"


def _worst(found: Comparison) -> str:
    at = f"at {index(found.worst_index)} " if found.worst_index else ""
    return (
        f"{at}expected {number(found.expected)}, got {number(found.actual)}; "
        f"off by {number(found.max_abs_error)} at most, {times(found.excess)} the tolerance"
    )


def _case(gradient: GradientFeedback) -> str:
    return f" (case: {gradient.case})" if gradient.case else ""
