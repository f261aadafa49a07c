"""One submission to one Report: the only place where the steps meet."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version

import torch

from grader.course import Course, Exercise, Rubric, Style
from grader.course.cases import Case
from grader.errors import SandboxError, SubmissionError, UsageError
from grader.judge.agenda import Agenda, Part, is_about
from grader.judge.explanation import Patience
from grader.judge.flags import Seen
from grader.judge.hidden import join
from grader.judge.judge import Judge, Judgement
from grader.judge.names import ask_about_names, explain_names
from grader.judge.prepared import Prepared
from grader.judge.repair import Mend, Repair, first_changes, most_telling
from grader.judge.speed import measure
from grader.judge.unfound import explain_nothing
from grader.results import AssignmentFeedback, ExerciseFeedback, Report, total
from grader.sandbox.probing import Probing
from grader.sandbox.question import Questionnaire
from grader.sandbox.repairing import TriedChange
from grader.sandbox.session import Session
from grader.sandbox.warm import Warm
from grader.submission import Submission
from grader.text import one_line
from grader.verdict.compare import Verdict

# Of a submission, so many times a change is looked for that makes gradients right.
MOST_REPAIRS = 10


class Grader:
    """A course and a seed, ready to grade submissions one after the other.

    Hidden cases are asked in a session of their own: what a student is told comes from a process that never had one.
    `only` names weeks, assignments or functions. An optional assignment counts if `only` names it, or if nothing else
    was handed in, which in a class does not matter (`is_class`); it is made ready when a submission first brings it.
    If it is known what is to be graded, `about` saves making cases that nobody asks for. Raises UsageError for a name
    that the course does not have, and CourseError if what is made ready does not hold together.
    """

    def __init__(
        self,
        course: Course,
        seed: int = 0,
        only: Sequence[str] = (),
        *,
        is_class: bool = False,
        about: Submission | None = None,
    ) -> None:
        self.course = course
        self.seed = seed
        self._is_narrowed = bool(only)
        self._is_class = is_class
        self._chosen = _choose(course, only)
        self._shown = Part(_narrow(self._chosen, lambda exercise: exercise.shown), seed)
        self._hidden = Part(_narrow(self._chosen, lambda exercise: exercise.concealed), seed)
        self._parts = (self._shown, self._hidden)
        sought = self._chosen
        if about is not None and not only:
            sought = [each for each in self._chosen if is_about(about, *each)] or self._chosen
        self._always = frozenset(rubric.name for rubric, _ in sought if only or not rubric.optional)
        # Those that every submission is asked.
        self.questionnaires = [part.agenda(self._always).questionnaire for part in self._asked(self._always)]

    def grade(self, submission: Submission, warm: Warm, *, may_be_empty: bool = False) -> Report:
        """Grade one submission. Raises SubmissionError if it holds no file or function of the course, and must."""
        started = time.monotonic()
        names = self._always | self._brought(submission)
        with one_thread(), ExitStack() as stack:
            asked = [(part, part.agenda(names)) for part in self._asked(names)]
            sessions = [
                stack.enter_context(Session(warm, submission, agenda.questionnaire, self.course.limits, agenda.draw))
                for _, agenda in asked
            ]
            for session in sessions:
                session.ask()
            agendas = [agenda for _, agenda in asked]
            selected = self._select(submission, agendas, sessions, may_be_empty=may_be_empty)
            graded = {
                part: _grade(agenda, selected, session, warm, self.course)
                for (part, agenda), session in zip(asked, sessions, strict=True)
            }
        shown, hidden = graded.get(self._shown, {}), graded.get(self._hidden, {})
        exercises = {name: feedback for name, (feedback, _) in shown.items()}
        for name, (feedback, failed) in hidden.items():
            cases = len(self._hidden.judge(name).prepared.cases)
            exercises[name] = join(exercises.get(name), feedback, failed, cases)
        by_name = dict(self._chosen_by_name(exercises))
        assignments = self._settle_optional(
            [_assignment(rubric, by_name.get(rubric.name, ())) for rubric in self.course.rubrics]
        )
        chosen = [assignment for assignment in assignments if assignment.is_selected and assignment.counts]
        return Report(
            course=self.course.title,
            version=self.course.version,
            language=self.course.language,
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

    def judge(self, function: str) -> Judge:
        """Return the judge of a function. Raises KeyError if it is not selected, or not made ready."""
        return (self._shown if self._shown.has(function) else self._hidden).judge(function)

    def prepared(self, function: str) -> Prepared:
        """Return what a function is asked. Raises KeyError if it is not selected, or not made ready."""
        return self.judge(function).prepared

    def cases(self, function: str) -> tuple[Case, ...]:
        """Return the cases of a function, the hidden ones last. Raises KeyError if it is not made ready."""
        parts = [part for part in self._parts if part.has(function)]
        return tuple(case for part in parts for case in part.judge(function).prepared.cases)

    def _asked(self, names: frozenset[str]) -> list[Part]:
        return [part for part in self._parts if part.agenda(names).judges]

    def _brought(self, submission: Submission) -> frozenset[str]:
        """Return the optional assignments that a submission may hold, by its names and its bytes."""
        return frozenset(
            rubric.name
            for rubric, exercises in self._chosen
            if rubric.optional and is_about(submission, rubric, exercises)
        )

    def _select(
        self, submission: Submission, agendas: Sequence[Agenda], sessions: Sequence[Session], *, may_be_empty: bool
    ) -> set[str]:
        """Return the names of the assignments that count: of a single file, those that it is about."""
        about = {
            name
            for agenda, session in zip(agendas, sessions, strict=True)
            for name, judges in agenda.judges.items()
            if f"{name}.py" in submission.files
            or f"{name}.py" in submission.refused
            or any(session.overview.candidates(judge.prepared.question) for judge in judges)
        }
        if not about and not may_be_empty:
            functions = [each.function for _, exercises in self._chosen for each in exercises]
            unreadable, is_tried = sessions[0].overview.unreadable, self._has_statements(submission)
            raise SubmissionError(explain_nothing(submission, unreadable, functions, self.course, is_tried=is_tried))
        everything = {name for agenda in agendas for name in agenda.judges}
        return about if submission.single and not self._is_narrowed else everything

    def _has_statements(self, submission: Submission) -> bool:
        """Return whether exercises that are statements were looked for in a submission."""
        chosen = [(rubric, [each for each in own if each.style is Style.STATEMENTS]) for rubric, own in self._chosen]
        return any(own and (self._is_narrowed or is_about(submission, rubric, own)) for rubric, own in chosen)

    def _settle_optional(self, assignments: Sequence[AssignmentFeedback]) -> tuple[AssignmentFeedback, ...]:
        """Leave out optional assignments that were not handed in, and what is not optional where nothing else was."""
        is_about_them = all(each.optional for each in assignments if each.is_selected) and not self._is_class
        if self._is_narrowed or is_about_them:
            return tuple(assignments)
        graded = [each if each.is_handed_in or not each.optional else _left_out(each) for each in assignments]
        is_alone = not self._is_class and not any(each.is_handed_in and not each.optional for each in graded)
        if is_alone and any(each.is_handed_in for each in graded):
            return tuple(each if each.optional else _left_out(each) for each in graded)
        return tuple(replace(each, counts=not each.optional) for each in graded)

    def _chosen_by_name(
        self, exercises: Mapping[str, ExerciseFeedback]
    ) -> Iterator[tuple[str, tuple[ExerciseFeedback, ...]]]:
        for rubric, chosen in self._chosen:
            yield rubric.name, tuple(exercises[each.function] for each in chosen if each.function in exercises)


def _grade(
    agenda: Agenda, selected: Collection[str], session: Session, warm: Warm, course: Course
) -> dict[str, tuple[ExerciseFeedback, int]]:
    """Judge what was answered; return for each function the feedback and in how many cases it is wrong."""
    judges = [judge for name in agenda.judges if name in selected for judge in agenda.judges[name]]
    patience = Patience()
    judged = _judge_all(judges, session, patience)
    mends: dict[str, list[Mend]] = {}
    try:
        slips = [name for name, each in judged.items() if isinstance(each, Judgement) and each.is_wrong]
        probings, repairs = _draw_probes(judges, judged, session), _draw_repairs(judges, judged, session)
        if not session.finish(slips, list(probings.values()), [each.repairing for each in repairs]):
            judged = _judge_all(judges, session, patience)
            probings = _draw_probes(judges, judged, session)
            session.probe(list(probings.values()))
        for each in repairs:
            asked = each.repairing
            mends.setdefault(asked.question.function, []).extend(each.mends(session.tries.changes(asked)))
        judged |= _judge_again(judges, judged, probings, mends, session, patience)
    except SandboxError as error:
        judged = dict.fromkeys(judged, error)
    graded = {}
    for judge in judges:
        function = judge.prepared.exercise.function
        judgement = judged[function]
        failed = judgement.failed if isinstance(judgement, Judgement) else 0
        changes = first_changes(mends.get(function, ()))
        graded[function] = (
            _grade_exercise(judge, judgement, session, warm, agenda.questionnaire, course, changes),
            failed,
        )
    return graded


def _grade_exercise(
    judge: Judge,
    judgement: Judgement | Exception,
    session: Session,
    warm: Warm,
    questionnaire: Questionnaire,
    course: Course,
    changes: Mapping[str, TriedChange],
) -> ExerciseFeedback:
    prepared, question = judge.prepared, judge.prepared.question
    try:
        if isinstance(judgement, Exception):
            raise judgement
        line_of = partial(session.line, question)
        seen = Seen(
            session.more(question),
            session.was_called(question),
            session.overview.findings(question, session.file(question)),
            session.tries.flags(question),
        )
        feedback = judge.feedback(session.answers(question), judgement, seen, line_of, changes)
        values = prepared.cases[0].forward.values
        message = explain_names(feedback.message, prepared.exercise, values, course.also_called)
        feedback = replace(feedback, message=message)
        if (own := session.names(question)) is not None:
            feedback = ask_about_names(feedback, prepared.exercise, values, course.also_called, own)
        if prepared.timed is None or any(each.verdict is not Verdict.CORRECT for each in feedback.gradients):
            return feedback
        try:
            timing = measure(prepared.timed, warm, session, questionnaire, course.limits)
        except SandboxError:
            # The gradients are right whatever became of the clock; only its points stay open.
            return replace(feedback, score=None if prepared.timed.timing.points else feedback.score)
        score = total([feedback.score, timing.score if timing else 0.0])
        return replace(feedback, timing=timing, score=score)
    except Exception as error:  # noqa: BLE001 # a fault of ours is never a zero, and costs no other function
        return judge.not_judged(error)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work in one thread: several wait for each other by spinning, and these tensors are small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _judge_all(judges: Iterable[Judge], session: Session, patience: Patience) -> dict[str, Judgement | Exception]:
    """Judge what was answered to each question; an exception where the grader itself failed."""
    judged: dict[str, Judgement | Exception] = {}
    for judge in judges:
        question = judge.prepared.question
        try:
            judged[question.function] = judge.judge(session.answers(question), patience)
        except Exception as error:  # noqa: BLE001 # a fault of ours costs no other function
            judged[question.function] = error
    return judged


def _draw_probes(
    judges: Iterable[Judge], judged: Mapping[str, Judgement | Exception], session: Session
) -> dict[str, Probing]:
    """Draw probes for the functions in which a call with them may show a gradient to be right, by function."""
    drawn = {}
    for judge in judges:
        question = judge.prepared.question
        judgement = judged[question.function]
        if isinstance(judgement, Judgement) and judgement.needs_probes:
            drawn[question.function] = judge.probing(session.answers(question))
    return drawn


def _draw_repairs(
    judges: Iterable[Judge], judged: Mapping[str, Judgement | Exception], session: Session
) -> list[Repair]:
    """Draw what it takes to look for changes that make the formulas of wrong gradients right."""
    drawn: list[Repair] = []
    for judge in judges:
        question = judge.prepared.question
        judgement = judged[question.function]
        if isinstance(judgement, Judgement) and judgement.is_open:
            drawn += judge.repairs(session.answers(question), judgement)
    return most_telling(drawn, MOST_REPAIRS)


def _judge_again(
    judges: Iterable[Judge],
    judged: Mapping[str, Judgement | Exception],
    probings: Mapping[str, Probing],
    mends: Mapping[str, Sequence[Mend]],
    session: Session,
    patience: Patience,
) -> dict[str, Judgement | Exception]:
    """Judge functions that are open, with probes and changes as far as those could be had."""
    again: dict[str, Judgement | Exception] = {}
    for judge in judges:
        question = judge.prepared.question
        before = judged[question.function]
        if isinstance(before, Judgement) and before.is_open:
            try:
                answers, probed = session.answers(question), session.tries.probed(question)
                own = mends.get(question.function, ())
                probing = probings.get(question.function)
                line_of = partial(session.line, question)
                again[question.function] = judge.judge_again(answers, patience, probing, probed, own, line_of)
            except Exception as error:  # noqa: BLE001 # a fault of ours costs no other function
                again[question.function] = error
    return again


def _assignment(rubric: Rubric, own: tuple[ExerciseFeedback, ...]) -> AssignmentFeedback:
    if not own:
        return AssignmentFeedback(rubric.name, rubric.title, None, None, (), rubric.optional)
    return AssignmentFeedback(
        name=rubric.name,
        title=rubric.title,
        score=total([exercise.score for exercise in own]),
        max_score=total([exercise.max_score for exercise in own]),
        exercises=own,
        optional=rubric.optional,
    )


def _left_out(assignment: AssignmentFeedback) -> AssignmentFeedback:
    return replace(assignment, score=None, max_score=None, exercises=())


def _narrow(
    chosen: Sequence[tuple[Rubric, Sequence[Exercise]]], of: Callable[[Exercise], Exercise | None]
) -> list[tuple[Rubric, tuple[Exercise, ...]]]:
    """Return the part of each exercise that `of` gives, without the assignments in which there is none."""
    narrowed = [(rubric, tuple(part for each in exercises if (part := of(each)))) for rubric, exercises in chosen]
    return [(rubric, exercises) for rubric, exercises in narrowed if exercises]


def _choose(course: Course, only: Sequence[str]) -> list[tuple[Rubric, tuple[Exercise, ...]]]:
    """Return the selected rubrics with their selected exercises, in course order."""
    only = course.spell_out(only)
    known = [*course.weeks, *course.names, *course.functions]
    unknown = [name for name in only if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"assignments: {', '.join(course.names)}"
        shown = one_line(unknown[0], 100)
        raise UsageError(f"--only {shown}: the course has no assignment or function of that name; {advice}")
    chosen = []
    for rubric in course.rubrics:
        everything = not only or rubric.name in only
        exercises = tuple(each for each in rubric.exercises if everything or each.function in only)
        if exercises:
            chosen.append((rubric, exercises))
    return chosen


@cache
def grader_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("backprop-grader")
    except PackageNotFoundError:
        return "unknown"
