"""What to do next, and how to see a case for oneself."""

from __future__ import annotations

from grader.report.words.numbers import count, points
from grader.report.words.outcomes import OUTCOMES, where
from grader.report.words.verdicts import VERDICTS
from grader.results import ExerciseFeedback, GradientFeedback, Report
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Verdict

UNWRITTEN = (Outcome.NOT_WRITTEN, Outcome.MISSING)


def find_next(report: Report) -> ExerciseFeedback | None:
    """Return the function to look at next: first what cannot be read, then what is wrong, then what is not written."""
    open_ones = [
        exercise for part in report.selected for exercise in part.exercises if exercise.score is not None
        and not exercise.is_full_marks
    ]  # fmt: skip
    urgency = sorted(open_ones, key=_urgency)
    return urgency[0] if urgency else None


def next_step(report: Report) -> str:
    """Say in a sentence or two what to do next."""
    exercise = find_next(report)
    if exercise is None:
        if report.score is None:
            return (
                "The grader itself failed on a function, which is not your doing. Show this report to your instructor."
            )
        return _about_loose_ends(report) or "Everything is right. There is nothing left to do."
    function = exercise.function
    if exercise.outcome is Outcome.UNREADABLE:
        return f"{exercise.message}. Mend that first: nothing in the file can run before it can be read."
    if exercise.outcome in UNWRITTEN:
        return f"Write {function}, for {points(exercise.max_score)} points."
    if exercise.outcome is not Outcome.RETURNED:
        place = f" ({where(exercise)})" if exercise.line else ""
        return f"{function} {OUTCOMES[exercise.outcome]}{place}. Mend that first."
    if exercise.slips:
        return _about_slip(exercise, exercise.slips[0])
    broken = [each for each in exercise.invariants if each.held is False]
    if broken:
        return f"Every gradient of {function} is right, and one property does not hold: {broken[0].name}."
    if exercise.timing:
        return f"{function} is right, and slower than its points for speed allow: autograd is the measure."
    return f"{function} has points left to earn."


def _about_loose_ends(report: Report) -> str:
    """Say what is not as it should be, although it costs no points."""
    for exercise in (each for part in report.selected for each in part.exercises):
        if exercise.outcome is not Outcome.RETURNED:
            place = f" ({where(exercise)})" if exercise.line else ""
            return f"Every point is earned; {exercise.function} still {OUTCOMES[exercise.outcome]}{place}."
        if exercise.slips:
            names = " and ".join(slip.name for slip in exercise.slips)
            return f"Every point is earned; {names} of {exercise.function}, worth none, is not right yet."
    return ""


def command(exercise: ExerciseFeedback, gradient: GradientFeedback | None, seed: int) -> str:
    """Return the command that writes the deciding case as a script to run and debug."""
    number = exercise.case_number if gradient is None else gradient.case_number
    case = f" --case {number}" if number else ""
    return f"grade case {exercise.function}{case}{_seed(seed)}"


def grade_command(report: Report) -> str:
    """Return the command that grades with the same data again."""
    return f"grade{_seed(report.seed)}"


def _about_slip(exercise: ExerciseFeedback, slip: GradientFeedback) -> str:
    if slip.verdict is Verdict.NOT_RETURNED:
        return f"Write {slip.name} in {exercise.function}, for {points(slip.max_score)} points."
    resting = [each for each in exercise.of(Verdict.FOLLOWS) if slip.name in each.slips]
    verb = "follows" if len(resting) == 1 else "follow"
    rest = f" {count(len(resting), 'gradient')} behind it only {verb} from it." if resting else ""
    return f"Look at {slip.name} in {exercise.function}: {VERDICTS[slip.verdict]}.{rest}"


def _urgency(exercise: ExerciseFeedback) -> int:
    if exercise.outcome is Outcome.UNREADABLE:
        return 0
    return 2 if exercise.outcome in UNWRITTEN else 1


def _seed(seed: int) -> str:
    return f" --seed {seed}" if seed else ""
