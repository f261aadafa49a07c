"""The sentences of a report that code fills in, and the labels that page and terminal share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from grader.diagnose import CERTAIN, Diagnosis
from grader.report.error_words import axes as axes
from grader.report.error_words import how_many as how_many
from grader.report.error_words import picture_title as picture_title
from grader.report.error_words import rows_in_numbers as rows_in_numbers
from grader.report.error_words import worst_place as worst_place
from grader.report.figures import count as count
from grader.report.figures import index as index
from grader.report.figures import number as number
from grader.report.figures import points as points
from grader.report.figures import seconds as seconds
from grader.report.figures import shape as shape
from grader.report.figures import times as times
from grader.results import UNWRITTEN, AssignmentFeedback, ExerciseFeedback, GradientFeedback, Report
from grader.sandbox.answer import Outcome
from grader.verdict.compare import Comparison, Verdict
from grader.verdict.follow import Basis

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
OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.RETURNED: "returned",
        Outcome.NOT_WRITTEN: "not written yet",
        Outcome.MISSING: "missing",
        Outcome.RAISED: "raised an exception",
        Outcome.TIMED_OUT: "ran out of time",
        Outcome.OUT_OF_MEMORY: "ran out of memory",
        Outcome.TOO_MUCH_OUTPUT: "printed too much",
        Outcome.CRASHED: "ended its process",
        Outcome.BAD_RETURN: "returned what cannot be graded",
        Outcome.AUTOGRAD_USED: "used autograd",
        Outcome.UNREADABLE: "could not be read",
        Outcome.NOT_JUDGED: "not judged: a fault of the grader",
    }
)

# Named for the fields of the results that they stand before.
EXPECTED, ACTUAL = "expected", "yours"
MANUAL, AUTOGRAD, RATIO = "your function", "autograd", "ratio"
# Of more names than this, a sentence says how many there are.
MOST_NAMED = 4
CODE = "Your line that made it"
PRINTED = "Your code printed"
NOT_HELD = "does not hold"
NO_ISOLATION = "time limits only"
WEAKNESS = "weaker sandbox:"
HIDDEN_ADVICE = "Think of inputs of other shapes and values than those that you can see."


def find_next(report: Report) -> ExerciseFeedback | None:
    """Return the function to look at next: first what cannot be read, then what is wrong, then what is not written."""
    parts = sorted(report.selected, key=lambda each: not each.counts)
    exercises = (exercise for assignment in parts for exercise in assignment.exercises)
    unfinished = (exercise for exercise in exercises if exercise.score is not None and not exercise.is_full_marks)
    return min(unfinished, key=_urgency, default=None)


def _urgency(exercise: ExerciseFeedback) -> int:
    if exercise.outcome is Outcome.UNREADABLE:
        return 0
    return 2 if exercise.outcome in UNWRITTEN else 1


def sum_up(report: Report) -> str:
    """Say in one line how many points there are and what to do next."""
    return f"{points(report.score)} of {points(report.max_score)} points. {next_step(report)}"


def next_step(report: Report) -> str:
    """Say in a sentence or two what to do next."""
    exercise = find_next(report)
    if exercise is None:
        if report.score is None:
            return (
                "The grader itself failed on a function, which is not your doing. Show this report to your instructor."
            )
        return _about_loose_ends(report) or f"Everything is right. {_about_training(report)}"
    function = exercise.function
    if exercise.outcome is Outcome.UNREADABLE:
        return f"{exercise.message}. Mend that first: nothing in the file can run before it can be read."
    if begun_line(exercise):
        return f"In {function}, {begun_line(exercise)}"
    if exercise.outcome in UNWRITTEN:
        return f"Write {function}, for {points(exercise.max_score)} points."
    if exercise.outcome is not Outcome.RETURNED:
        return f"{function} {_end(exercise)}. Mend that first."
    if exercise.slips:
        return _about_slip(exercise, exercise.slips[0])
    broken = [each for each in exercise.invariants if each.held is False]
    if broken:
        return f"Every gradient of {function} is right, and one property does not hold: {broken[0].name}."
    if exercise.hidden and exercise.hidden.failed:
        return f"{function}: {exercise.hidden.sentence} {HIDDEN_ADVICE}"
    if exercise.timing:
        return f"{function} is right, and slower than its points for speed allow: autograd is the measure."
    return f"{function} has points left to earn."


def _about_slip(exercise: ExerciseFeedback, slip: GradientFeedback) -> str:
    if slip.verdict is Verdict.NOT_RETURNED and slip.diagnosis is not None:
        return f"In {exercise.function}, {slip.diagnosis.message}"
    if slip.verdict is Verdict.NOT_RETURNED:
        return f"Write {slip.name} in {exercise.function}, for {points(slip.max_score)} points."
    resting = [each for each in exercise.of(Verdict.FOLLOWS) if slip.name in each.slips]
    verb = "follows" if len(resting) == 1 else "follow"
    rest = f" {count(len(resting), 'gradient')} behind it only {verb} from it." if resting else ""
    return f"Look at {slip.name} in {exercise.function}: {VERDICTS[slip.verdict]}.{rest}"


def _about_training(report: Report) -> str:
    """Say what there is to see of a network whose every gradient is right, if there is one."""
    exercises = (exercise for assignment in report.selected for exercise in assignment.exercises)
    found = next((exercise.function for exercise in exercises if exercise.is_trainable), None)
    return f"`grade train {found}` trains a network with your gradients." if found else "There is nothing left to do."


def _about_loose_ends(report: Report) -> str:
    """Say what is not as it should be, although it costs no points."""
    for exercise in (each for assignment in report.selected for each in assignment.exercises):
        if exercise.outcome is Outcome.RAISED:
            return (
                f"Every point is earned: {exercise.function} {_end(exercise)}, and what it had computed by then was "
                "judged all the same. Mend the line before you use it."
            )
        if exercise.outcome is not Outcome.RETURNED:
            return f"Every point is earned; {exercise.function} still {_end(exercise)}."
        if exercise.slips:
            wrong = " and ".join(slip.name for slip in exercise.slips)
            return f"Every point is earned; {wrong} of {exercise.function}, worth none, is not right yet."
    return ""


def _end(exercise: ExerciseFeedback) -> str:
    place = f" ({where(exercise)})" if exercise.line else ""
    return f"{OUTCOMES[exercise.outcome]}{place}"


def grade_again(seed: int | None) -> tuple[str, str]:
    """Return how to grade again, as a sentence and the command; without a seed the numbers are others."""
    if seed is None:
        return "Graded with random numbers of its own. To grade at home, with others:", "grade"
    return "To grade again with the same data:", f"grade{_seed(seed)}"


def case_command(exercise: ExerciseFeedback, gradient: GradientFeedback | None, seed: int | None) -> str:
    """Return the command that writes the deciding case as a script to run and debug."""
    number_of_case = exercise.case_number if gradient is None else gradient.case_number
    case = f" --case {number_of_case}" if number_of_case else ""
    return f"grade case {exercise.function}{case}{_seed(seed)}"


def _seed(seed: int | None) -> str:
    return f" --seed {seed}" if seed else ""


def standing(assignment: AssignmentFeedback) -> str:
    """Say of an optional assignment how it counts, and nothing of any other."""
    if not assignment.optional:
        return ""
    return "optional" if assignment.counts else "optional, not counted in the total"


def not_begun(assignment: AssignmentFeedback) -> str:
    """Say which functions of an assignment are still to be written, where there is none of them yet."""
    functions = ", ".join(exercise.function for exercise in assignment.exercises)
    ending = "ipynb" if any(exercise.is_statements for exercise in assignment.exercises) else "py"
    return f"not begun: {functions} would be in {assignment.name}.{ending}"


def state(exercise: ExerciseFeedback) -> tuple[str, str]:
    """Return the glyph and the word that stand for a whole function."""
    if exercise.score is None:
        return "?", "not judged"
    if exercise.is_full_marks and exercise.outcome is Outcome.RETURNED:
        return "✓", "right"
    if exercise.outcome in UNWRITTEN:
        return "○", OUTCOMES[exercise.outcome]
    return "✗", "not right yet" if exercise.outcome is Outcome.RETURNED else OUTCOMES[exercise.outcome]


def outcome_line(exercise: ExerciseFeedback) -> str:
    """Say how the run ended, or nothing where it returned."""
    if exercise.outcome is Outcome.RETURNED:
        return exercise.message
    if exercise.outcome is Outcome.NOT_WRITTEN:
        return ": ".join(filter(None, [OUTCOMES[exercise.outcome], begun_line(exercise)]))
    message = exercise.message
    # A message about a file names the place itself.
    prefix = f"{where(exercise)}: " if exercise.line and exercise.file and exercise.file not in message else ""
    return f"{OUTCOMES[exercise.outcome]}: {prefix}{message}" if message else OUTCOMES[exercise.outcome]


def begun_line(exercise: ExerciseFeedback) -> str:
    """Ask about a function that counts as not written, where it computes what it does not return; nothing otherwise."""
    if exercise.outcome is not Outcome.NOT_WRITTEN:
        return ""
    return next((each.diagnosis.message for each in exercise.gradients if each.diagnosis is not None), "")


def where(exercise: ExerciseFeedback) -> str:
    """Return file and line of what ended the run, if they are known."""
    if exercise.file is None:
        return ""
    return f"{exercise.file} line {exercise.line}" if exercise.line else exercise.file


def slip_line(gradient: GradientFeedback) -> str:
    """Say of a wrong gradient what helps most: what is wrong with it, else how it differs."""
    if gradient.diagnosis is not None:
        return gradient.diagnosis.message
    if gradient.slips:
        return undecided_line(gradient)
    return how_many(gradient.picture) if gradient.picture is not None else gradient_line(gradient)


def figures_line(gradient: GradientFeedback) -> str:
    """Say the numbers of a wrong gradient, where there are any and it has not been said already."""
    if gradient.verdict is Verdict.NOT_RETURNED and gradient.diagnosis is not None:
        return ""
    line = gradient_line(gradient)
    return "" if line == slip_line(gradient) else line


def also_wrong(slips: Sequence[GradientFeedback]) -> str:
    """Head the slips behind the first one."""
    return "Also wrong" if any(slip.slips for slip in slips) else "Also wrong in itself"


def undecided_line(gradient: GradientFeedback) -> str:
    """Say of a gradient why it is charged although it matches what came before it."""
    before = " and ".join(gradient.slips)
    verb = "is" if len(gradient.slips) == 1 else "are"
    return (
        f"It matches what comes before it, but so would many wrong formulas: your {before} {verb} too simple to tell, "
        f"all zeros or the same along an axis. It could not be tried with other numbers. Mend {before} first."
    )


def basis_line(gradient: GradientFeedback) -> str:
    """Say with which numbers a slip was found, where they are not those that the student sees."""
    if gradient.basis is not Basis.RANDOM:
        return ""
    return f"Found with random numbers in place of what comes before {gradient.name}, so that no other slip is in it."


def gradient_line(gradient: GradientFeedback) -> str:
    """Say what is wrong with one gradient, with the numbers of the worst place."""
    comparison = gradient.comparison
    in_case = f" (case: {gradient.case})" if gradient.case else ""
    match gradient.verdict:
        case Verdict.FOLLOWS:
            return follows_line([gradient])
        case Verdict.NOT_RETURNED:
            return f"it is {gradient.note}" if gradient.note else "None, or not there"
        case Verdict.WRONG_SHAPE if comparison is not None:
            return f"shape {shape(comparison.actual_shape)}, expected {shape(comparison.expected_shape)}"
        case Verdict.WRONG_DTYPE if comparison is not None:
            is_torch = str(comparison.actual_dtype).startswith("torch.")
            return f"{comparison.actual_dtype}, expected {'torch.' if is_torch else ''}float64"
        case Verdict.NOT_FINITE if comparison is not None:
            at = f" at {index(comparison.worst_index)}" if comparison.worst_index else ""
            return f"{number(comparison.actual)}{at}, expected {number(comparison.expected)}{in_case}"
        case Verdict.WRONG_VALUES if comparison is not None:
            return f"{_worst(comparison)}{in_case}"
    return VERDICTS[gradient.verdict]


def absent_line(exercise: ExerciseFeedback) -> str:
    """Say why gradients did not come back of which there is nothing else to say."""
    match exercise.outcome:
        case Outcome.RETURNED | Outcome.NOT_WRITTEN | Outcome.MISSING:
            return "None, or not there"
        case Outcome.RAISED:
            return "not there when the function raised"
        case Outcome.BAD_RETURN:
            return "what the function returned could not be taken apart"
        case Outcome.AUTOGRAD_USED:
            return "nothing is taken from a call that used autograd"
        case Outcome.UNREADABLE:
            return "the file could not be read"
    return f"the function {OUTCOMES[exercise.outcome]} before they came"


def remark(gradient: GradientFeedback) -> str:
    """Say what is let pass in a gradient that counts as right."""
    return gradient.note if gradient.verdict is Verdict.CORRECT else ""


def _worst(comparison: Comparison) -> str:
    at = f"at {index(comparison.worst_index)} " if comparison.worst_index else ""
    return (
        f"{at}expected {number(comparison.expected)}, got {number(comparison.actual)}; "
        f"off by {number(comparison.max_abs_error)} at most, {times(comparison.excess)} the tolerance"
    )


def follows_line(followers: Sequence[GradientFeedback]) -> str:
    """Say of gradients that follow from the same slips that the slip is not theirs, and how that was found."""
    known = list(dict.fromkeys(slip for each in followers for slip in each.slips))
    slips = _few(known)
    there = f"; the slip{' is' if len(known) == 1 else 's are'} there" if slips else ""
    bases = {each.basis for each in followers}
    if Basis.MENDED in bases:
        some = "some of them " if len(bases) > 1 else ""
        said = f"{some}wrong by the same slip as {slips}, which is charged there: with that mended, right"
    elif bases == {Basis.OWN}:
        said = f"right, given your {slips}{there}" if slips else "right, given what came before it"
    else:
        place = f"in place of your {slips}{there}" if slips else "in place of what came before it"
        some = "some " if len(bases) > 1 else ""
        said = f"right in itself, {some}tried with random numbers {place}"
    return f"{said}{_share(followers)}"


def _few(names: Sequence[str]) -> str:
    """Return names as a list that is short to read: three of many."""
    shown = list(names) if len(names) <= MOST_NAMED else [*names[:3], f"{len(names) - 3} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _share(followers: Sequence[GradientFeedback]) -> str:
    """Say how much of its points a gradient earns that follows, where the course does not give all of them."""
    paid = [each for each in followers if each.max_score and each.score is not None]
    shares = {round(each.score / each.max_score, 9) for each in paid if each.score is not None}
    least = min(shares, default=1.0)
    return f". What follows earns {least:.0%} of its points in this course" if least < 1 else ""


def names(gradients: Sequence[GradientFeedback]) -> str:
    """Return the names of gradients as a list in a sentence."""
    return ", ".join(gradient.name for gradient in gradients)


def how_sure(diagnosis: Diagnosis) -> str:
    """Say whether a wrong gradient may have come about otherwise; nothing of a question."""
    if diagnosis.message.endswith("?"):
        return ""
    if diagnosis.certainty == CERTAIN:
        return "This fits every case exactly."
    return "This is the likely reason; other slips can look the same."


def hint_label(place: int, total: int) -> str:
    """Name a hint by its place, counted from 1."""
    return f"Hint {place} of {total}" if total > 1 else "Hint"
