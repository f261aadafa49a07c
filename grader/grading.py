"""One submission to one Report: the only place where the steps meet."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor

from grader.bank import Mistake, load_bank
from grader.cases import Argument, Case, Reference
from grader.compare import Comparison, Verdict, compare
from grader.diagnose import diagnose
from grader.errors import CourseError, SandboxError, SubmissionError, UsageError
from grader.feedback import AssignmentFeedback, ExerciseFeedback, GradientFeedback, Report, total
from grader.follow import Trial, find_follows
from grader.invariants import ForwardPass, find_misfits, judge_invariants, probe_upstreams
from grader.listing import read_forward
from grader.picture import draw
from grader.rubric import Course, Exercise, Gradient, InvariantKind, Rubric, default_course, load_course
from grader.sandbox.answer import Answer, CodeLine, Flag, Outcome
from grader.sandbox.interview import Interview, Question, pack_call
from grader.sandbox.warm import Warm, start_warm
from grader.schedule import Schedule, make_schedule
from grader.submission import Submission, read_submission
from grader.suspicion import find_difference, find_processor_time
from grader.text import one_line
from grader.timing import TimedCases, make_timed_cases, measure


def grade(
    path: str | Path = ".", *, only: str | Sequence[str] = (), seed: int = 0, course: str | Path | None = None
) -> Report:
    """Grade the submission at `path`, a folder or one file, as the command `grade` does.

    Raises GraderError if there is nothing to grade or the course does not hold together.
    """
    with start_warm() as warm:
        names = (only,) if isinstance(only, str) else tuple(only)
        loaded = load_course(Path(course) if course is not None else default_course())
        return Grader(loaded, seed, names).grade(read_submission(Path(path)), warm)


@dataclass(frozen=True)
class Prepared:
    """One exercise with its cases made and its calls ready to travel, for any number of submissions."""

    rubric: Rubric
    exercise: Exercise
    cases: tuple[Case, ...]
    bank: tuple[Mistake, ...]
    probes: tuple[Mapping[str, Argument], ...]
    schedule: Schedule
    forward_pass: ForwardPass
    timed: TimedCases | None

    @cached_property
    def question(self) -> Question:
        """What the submission is asked: every case and the probes, in the order of the schedule."""
        calls = [pack_call(arguments) for arguments in [*(case.arguments for case in self.cases), *self.probes]]
        return Question(
            function=self.exercise.function,
            home=f"{self.rubric.name}.py",
            given=self.exercise.given,
            gradients=tuple(gradient.name for gradient in self.exercise.gradients),
            calls=self.schedule.arrange(calls),
        )

    @cached_property
    def forward(self) -> str:
        """The forward pass as a student reads it."""
        return read_forward(self.rubric.folder / "reference.py", self.exercise.forward)


class Grader:
    """A course and a seed, ready to grade submissions one after the other.

    `only` names assignments or functions. Raises UsageError for a name that the course does not have, and
    CourseError if the course does not hold together.
    """

    def __init__(self, course: Course, seed: int = 0, only: Sequence[str] = ()) -> None:
        self.course = course
        self.seed = seed
        self._is_narrowed = bool(only)
        chosen = _choose(course, only)
        self._prepared = _prepare_all(chosen, seed)

    def grade(self, submission: Submission, warm: Warm) -> Report:
        """Grade one submission. Raises SubmissionError if it holds no file or function of the course."""
        started = time.monotonic()
        questions = [prepared.question for part in self._prepared.values() for prepared in part]
        wanted = {question.function: question.gradients for question in questions}
        with Interview(warm, submission, wanted, self.course.limits) as interview:
            selected = self._select(submission, interview)
            assignments = tuple(
                self._grade_assignment(rubric, rubric.name in selected, interview, warm)
                for rubric in self.course.rubrics
            )
        chosen = [assignment for assignment in assignments if assignment.is_selected]
        return Report(
            course=self.course.title,
            submission=submission.name,
            seed=self.seed,
            grader=grader_version(),
            torch=torch.__version__,
            isolation=warm.isolation,
            score=total([assignment.score for assignment in chosen]),
            max_score=total([assignment.max_score for assignment in chosen]) or 0.0,
            seconds=time.monotonic() - started,
            assignments=assignments,
            weaknesses=warm.weaknesses,
        )

    def _select(self, submission: Submission, interview: Interview) -> set[str]:
        """Return the names of the assignments that count: of a single file, those that it is about."""
        about = {
            name
            for name, part in self._prepared.items()
            if f"{name}.py" in submission.files
            or f"{name}.py" in submission.refused
            or any(interview.mentions(prepared.question) for prepared in part)
        }
        if not about:
            prepared = [each for part in self._prepared.values() for each in part]
            raise SubmissionError(_nothing_found(submission, interview.unreadable, prepared))
        return about if submission.single and not self._is_narrowed else set(self._prepared)

    def _grade_assignment(
        self, rubric: Rubric, is_selected: bool, interview: Interview, warm: Warm
    ) -> AssignmentFeedback:
        if not is_selected:
            return AssignmentFeedback(rubric.name, rubric.title, None, None, ())
        exercises = tuple(self._grade_exercise(prepared, interview, warm) for prepared in self._prepared[rubric.name])
        return AssignmentFeedback(
            name=rubric.name,
            title=rubric.title,
            score=total([exercise.score for exercise in exercises]),
            max_score=total([exercise.max_score for exercise in exercises]),
            exercises=exercises,
        )

    def _grade_exercise(self, prepared: Prepared, interview: Interview, warm: Warm) -> ExerciseFeedback:
        try:
            question = prepared.question
            feedback = grade_exercise(prepared, interview.ask(question), partial(interview.line, question))
            if prepared.timed is None or any(each.verdict is not Verdict.CORRECT for each in feedback.gradients):
                return feedback
            try:
                timing = measure(prepared.timed, warm, interview, self.course.limits)
            except SandboxError:
                # The gradients are right whatever became of the clock; only its points stay open.
                return replace(feedback, score=None if prepared.timed.timing.points else feedback.score)
            score = total([feedback.score, timing.score if timing else 0.0])
            return replace(feedback, timing=timing, score=score)
        except Exception as error:  # noqa: BLE001 # a fault of ours is never a zero, and costs no other function
            return _not_judged(prepared, error)


def _prepare_all(chosen: Sequence[tuple[Rubric, Sequence[Exercise]]], seed: int) -> dict[str, tuple[Prepared, ...]]:
    """Prepare the exercises of each rubric. Raises CourseError with what is wrong in any of them."""
    problems: dict[str, None] = {}
    everything = {}
    for rubric, exercises in chosen:
        prepared = []
        try:
            reference = Reference(rubric)
        except CourseError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        for exercise in exercises:
            try:
                prepared.append(_prepare(reference, exercise, seed))
            except CourseError as error:
                problems |= dict.fromkeys(error.problems)
        everything[rubric.name] = tuple(prepared)
    if problems:
        raise CourseError(list(problems))
    return everything


def _prepare(reference: Reference, exercise: Exercise, seed: int) -> Prepared:
    cases = reference.make_cases(exercise, seed)
    problems = find_misfits(exercise, cases[0].forward)
    if problems:
        raise CourseError(problems)
    timed = make_timed_cases(reference, exercise, seed)
    bank = load_bank(reference.rubric)
    forward = reference.forward(exercise)
    probes = _probe(exercise, cases[0])
    schedule = make_schedule(len(cases) + len(probes), seed, reference.rubric.name, exercise.function)
    return Prepared(reference.rubric, exercise, cases, bank, probes, schedule, forward, timed)


def _probe(exercise: Exercise, first: Case) -> tuple[Mapping[str, Argument], ...]:
    """Return the arguments of the further calls that an invariant about dout needs."""
    if all(invariant.kind is not InvariantKind.LINEAR for invariant in exercise.invariants):
        return ()
    return tuple({**first.arguments, "dout": dout} for dout in probe_upstreams(first))


def grade_exercise(
    prepared: Prepared, answers: Sequence[Answer], line_of: Callable[[str], CodeLine | None] = lambda _: None
) -> ExerciseFeedback:
    """Judge what a function answered, one answer per case or fewer if it ended its process.

    `line_of` finds the student's line that made a gradient.
    """
    exercise, count = prepared.exercise, len(prepared.cases)
    flags = _find_flags(prepared, answers)
    # What ended the process leaves the calls behind it without gradients, too.
    ended = replace(answers[-1], gradients={}, notes={}, seconds=0.0)
    restored = [answer or ended for answer in prepared.schedule.restore(answers)]
    probes = [answer.gradients for answer in restored[count:] if answer.outcome is Outcome.RETURNED]
    answers = restored[:count]
    decisive = next((answer for answer in answers if answer.outcome is not Outcome.RETURNED), answers[0])
    trials = [_judge_case(exercise, case, answer) for case, answer in zip(prepared.cases, answers, strict=True)]
    follows = find_follows(exercise, trials)
    notes = {name: note.text for answer in reversed(answers) for name, note in answer.notes.items()}
    gradients = tuple(
        _judge_gradient(gradient, exercise, trials, follows, notes.get(gradient.name, ""))
        for gradient in exercise.gradients
    )
    gradients = tuple(_explain(prepared, each, trials, line_of) if each.is_slip else each for each in gradients)
    invariants = judge_invariants(exercise, trials, probes, gradients, prepared.forward_pass)
    return ExerciseFeedback(
        function=exercise.function,
        score=total([*(each.score for each in gradients), *(each.score for each in invariants)]),
        max_score=round(exercise.max_score, 9),
        outcome=decisive.outcome,
        message=decisive.message,
        file=decisive.file,
        line=decisive.line,
        printed=next((answer.printed for answer in answers if answer.printed), ""),
        seconds=sum(answer.seconds for answer in answers),
        flags=flags,
        gradients=gradients,
        invariants=invariants,
        source=decisive.source,
        forward=prepared.forward,
        maths=exercise.maths,
    )


def _find_flags(prepared: Prepared, answers: Sequence[Answer]) -> tuple[Flag, ...]:
    found = [flag for answer in answers for flag in answer.flags]
    found += find_processor_time(prepared.cases, prepared.schedule.restore(answers))
    pair = prepared.schedule.pair(answers)
    return tuple(dict.fromkeys([*found, *(find_difference(*pair) if pair else [])]))


def _judge_case(exercise: Exercise, case: Case, answer: Answer) -> Trial:
    comparisons = {
        gradient.name: min(
            (_compare(gradient, expected[gradient.value], answer) for expected in _truths(gradient, case)),
            key=lambda comparison: comparison.severity,
        )
        for gradient in exercise.gradients
    }
    return Trial(case, answer.gradients, comparisons)


def _truths(gradient: Gradient, case: Case) -> list[Mapping[str, Tensor]]:
    """Return what a gradient may be: with the paths through detached values, and without them."""
    return [case.expected, case.detached] if gradient.value in case.detached else [case.expected]


def _compare(gradient: Gradient, expected: Tensor, answer: Answer) -> Comparison:
    shape = tuple(expected.shape)
    if answer.outcome is Outcome.NOT_JUDGED:
        return Comparison(Verdict.NOT_JUDGED, shape)
    actual, note = answer.gradients.get(gradient.name), answer.notes.get(gradient.name)
    if actual is not None:
        return compare(expected, actual, gradient.tolerance)
    if note is not None and note.kind == "dtype":
        verdict = Verdict.WRONG_DTYPE if note.shape == shape else Verdict.WRONG_SHAPE
        return Comparison(verdict, shape, note.shape, note.text)
    return Comparison(Verdict.NOT_RETURNED, shape)


def _judge_gradient(
    gradient: Gradient,
    exercise: Exercise,
    trials: Sequence[Trial],
    follows: Mapping[str, tuple[str, ...]],
    note: str,
) -> GradientFeedback:
    place = max(range(len(trials)), key=lambda number: trials[number].comparisons[gradient.name].severity)
    decisive = trials[place]
    comparison = decisive.comparisons[gradient.name]
    verdict = Verdict.FOLLOWS if gradient.name in follows else comparison.verdict
    shares = {Verdict.CORRECT: 1.0, Verdict.FOLLOWS: exercise.follow_through, Verdict.NOT_JUDGED: None}
    share = shares.get(verdict, 0.0)
    picture = None
    if verdict in (Verdict.WRONG_VALUES, Verdict.NOT_FINITE):
        expected, actual = decisive.case.expected[gradient.value], decisive.returned[gradient.name]
        picture = draw(expected, actual, comparison, gradient.tolerance)
    return GradientFeedback(
        name=gradient.name,
        verdict=verdict,
        score=None if share is None else gradient.points * share,
        max_score=gradient.points,
        case=decisive.case.name,
        comparison=comparison,
        exact=_all_exact([trial.comparisons[gradient.name].exact for trial in trials]),
        note=note,
        slips=follows.get(gradient.name, ()),
        hints=gradient.hints,
        case_number=place + 1,
        picture=picture,
    )


def _explain(
    prepared: Prepared,
    feedback: GradientFeedback,
    trials: Sequence[Trial],
    line_of: Callable[[str], CodeLine | None],
) -> GradientFeedback:
    """Add to a wrong gradient what is wrong with it and the student's line that made it, where they are known."""
    gradient = next(each for each in prepared.exercise.gradients if each.name == feedback.name)
    try:
        diagnosis = diagnose(prepared.exercise, gradient, trials, prepared.bank)
    except Exception:  # noqa: BLE001 # an answer too odd to be explained is judged all the same
        diagnosis = None
    return replace(feedback, diagnosis=diagnosis, code=line_of(feedback.name))


def _all_exact(exact: Sequence[bool | None]) -> bool | None:
    return None if None in exact else all(exact)


def _not_judged(prepared: Prepared, error: Exception) -> ExerciseFeedback:
    text = f"the grader itself failed here, which is not your doing: {type(error).__name__}: {error}"
    return grade_exercise(prepared, [Answer(Outcome.NOT_JUDGED, text)])


def _choose(course: Course, only: Sequence[str]) -> list[tuple[Rubric, tuple[Exercise, ...]]]:
    """Return the selected rubrics with their selected exercises, in course order."""
    known = [rubric.name for rubric in course.rubrics]
    known += [exercise.function for rubric in course.rubrics for exercise in rubric.exercises]
    unknown = [name for name in only if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"assignments: {', '.join(r.name for r in course.rubrics)}"
        shown = one_line(unknown[0], 100)
        raise UsageError(f"--only {shown}: the course has no assignment or function of that name; {advice}")
    chosen = []
    for rubric in course.rubrics:
        everything = not only or rubric.name in only
        exercises = tuple(each for each in rubric.exercises if everything or each.function in only)
        if exercises:
            chosen.append((rubric, exercises))
    return chosen


def _nothing_found(submission: Submission, unreadable: Mapping[str, Answer], prepared: Iterable[Prepared]) -> str:
    functions = [each.exercise.function for each in prepared]
    looked_for = ", ".join(functions[:4]) + (", ..." if len(functions) > 4 else "")
    broken = "".join(f"; {answer.message}" for answer in unreadable.values())
    if not submission.files and not submission.refused:
        return f"{submission.name} holds no Python file; `grade start` makes a folder with one for each assignment"
    return f"no function of the course is defined in {submission.name} (looked for {looked_for}){broken}"


def grader_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("backprop-grader")
    except PackageNotFoundError:
        return "unknown"
