"""A batch from beginning to end: find, grade what is missing or changed, keep, and make the gradebook."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from grader.batch.adjustments import FILE, read_adjustments, recall
from grader.batch.class_report import read_earlier, render_class_report
from grader.batch.cluster import Cluster
from grader.batch.collect import describe, discover
from grader.batch.contents import read_entry
from grader.batch.crash_safe import run_all
from grader.batch.crash_safe.local import LocalExecutor
from grader.batch.entry import Entry, Found
from grader.batch.gradebook import grades_csv
from grader.batch.hashes import hash_assignments, hash_course, hash_grader
from grader.batch.history import changes_csv, make_key, record_of
from grader.batch.people import Words
from grader.batch.progress import Say
from grader.batch.store import Name, Record, Store, draw_seed, name_all
from grader.batch.task import Graded, Order, Task, require_isolation
from grader.batch.tree import open_tree
from grader.course import Course, default_course, load_course
from grader.errors import GraderError, UsageError
from grader.rules import OLDEST, RULES, changes_since
from grader.text import one_line

Ticket = tuple[Entry, dict[str, Any], Record | None]
"""What is needed to keep a task's result: whose it is, what it is made from, and what was kept before."""
TASKS_PER_SLOT = 2  # one is graded while the next is on its way


@dataclass(frozen=True)
class Options:
    """What a batch is asked to do; `shard` is (which, of how many), from 1."""

    folder: Path
    out: Path
    course: Path | None = None
    seed: int | None = None
    draws_seed: bool = False
    only: tuple[str, ...] = ()
    jobs: int = 1
    executor: str = "local"
    shard: tuple[int, int] | None = None
    before: datetime | None = None
    is_fresh: bool = False
    is_dry_run: bool = False
    allows_weak_isolation: bool = False
    shows_names: bool = False
    compare: Path | None = None


@dataclass(frozen=True)
class Summary:
    """How a batch went: how many there were, how many have a result, how many of those were graded now."""

    found: int
    with_result: int
    graded_now: int
    not_judged: int
    without_score: int
    seed: int

    @property
    def text(self) -> str:
        """The summary in words."""
        said = [f"{self.with_result} of {self.found} have a result ({self.graded_now} graded now), seed {self.seed}"]
        if self.without_score:
            said.append(f"{self.without_score} could not be graded: see the column problem of grades.csv")
        if self.not_judged:
            said.append(f"{self.not_judged} not judged, a fault of the grader: run the same command again")
        return "; ".join(said)


def default_jobs() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """Return `I/N` as numbers. Raises UsageError if it is not that."""
    if text is None:
        return None
    which, _, count = text.partition("/")
    if not (which.isdecimal() and count.isdecimal() and 1 <= int(which) <= int(count)):
        raise UsageError(f"--shard {one_line(text, 30)}: write I/N, from 1/N to N/N")
    return int(which), int(count)


class StoppedError(GraderError):
    """The batch ended before all was graded; what is there is kept."""


def grade_batch(options: Options, say: Say) -> Summary | None:
    """Grade every submission and write the results; None after a dry run.

    Raises UsageError for arguments that make no sense, CourseError, SubmissionError if there is nothing to
    grade, and StoppedError if it was interrupted or the results could not be written.
    """
    course = load_course(options.course or default_course())
    _check_places(options)
    found = discover(open_tree(options.folder), options.before, Words.of(course))
    for line in describe(found):
        say.line(line)
    if options.is_dry_run:
        for entry in found.entries:
            # Read as it would be to be graded, so that what is said here holds then.
            say.line(_describe_entry(entry, read_entry(entry)))
        return None
    return _Batch(options, course, found, say).run()


class _Batch:
    def __init__(self, options: Options, course: Course, found: Found, say: Say) -> None:
        self.options, self.course, self.found, self.say = options, course, found, say
        which, count = options.shard or (0, 1)
        self.store = Store(options.out, which)
        kept = self._check_course(self.store.read_batch())
        self.grades_all = options.is_fresh or self._grades_by_new_rules(kept)
        self.store.create()
        self.order = Order(
            course=str(options.course.resolve()) if options.course is not None else None,
            course_hash=hash_course(course.folder),
            grader_hash=hash_grader(),
            seed=draw_seed() if options.draws_seed else self.store.settle_seed(options.seed),
            only=options.only,
            allows_weak_isolation=options.allows_weak_isolation,
        )
        old_names = {entry["name"]: Name(entry["submission"], entry["file"]) for entry in kept.get("entries", [])}
        self.course_parts = hash_assignments(course.folder)
        self.names = name_all((entry.name for entry in found.entries), old_names)
        self.own = [entry for entry in found.entries if count == 1 or _part(entry.name, count) == which - 1]
        functions = {each.function: each.max_score for rubric in course.rubrics for each in rubric.exercises}
        self.adjustments = read_adjustments(options.out / FILE, functions)
        for name in set(self.adjustments).difference(each.shown for each in self.names.values()):
            say.line(f"{FILE} names {one_line(name, 100)}, which is not among the submissions")
        self.kept = self.graded = self.not_judged = self.problems = 0
        self.handed_in: set[str] = set()
        self.drawn: set[str] = set()

    def run(self) -> Summary:
        say, seed = self.say, self.order.seed
        say.line(f"seed {seed}")
        say.start(len(self.own))
        try:
            self.store.write(self.store.out / "batch.json", json.dumps(self._as_json(), indent=1) + "\n")
            # Where all is kept from before, nothing needs to be started.
            tasks = self._tasks()
            first = next(tasks, None)
            if first is not None:
                self._grade(chain([first], tasks))
        except KeyboardInterrupt:
            raise StoppedError(self._how_to_go_on("stopped")) from None
        except OSError as error:
            raise StoppedError(self._how_to_go_on(f"a result could not be written: {error}")) from error
        self._write_books()
        if (probably := self._probably_meant()) is not None:
            say.line(probably)
        with_result = self.kept + self.graded - self.not_judged - self.problems
        return Summary(len(self.own), with_result, self.graded, self.not_judged, self.problems, seed)

    def _grade(self, tasks: Iterable[tuple[Ticket, Task]]) -> None:
        grade = partial(_grade_task, self.order)
        with ExitStack() as stack:
            executor, slots = self._start(stack)
            for (entry, key, before), graded in run_all(executor, grade, tasks, slots * TASKS_PER_SLOT):
                self._keep(entry, key, before, graded)

    def _start(self, stack: ExitStack) -> tuple[Any, int]:
        kind, _, address = self.options.executor.partition(":")
        if kind == "dask" and address:
            if self.options.allows_weak_isolation:
                raise UsageError("--allow-weak-isolation is for this machine only, never for a cluster")
            cluster = stack.enter_context(Cluster(address))
            cluster.executor.submit(_set_up, self.order).result()
            return cluster.executor, cluster.slots
        if self.options.executor != "local":
            raise UsageError(f"--executor {one_line(self.options.executor, 60)}: it is local, or dask:HOST:PORT")
        jobs = min(self.options.jobs, len(self.own)) or 1
        executor = LocalExecutor(jobs, (_set_up, (self.order,)), (_settle, ()))
        stack.callback(executor.shutdown, wait=False)
        require_isolation(*executor.prepared, allows_weak=self.options.allows_weak_isolation)
        return executor, jobs

    def _tasks(self) -> Iterator[tuple[Ticket, Task]]:
        """Yield what there is to grade; what was graded before from the very same things is counted and left."""
        for entry in self.own:
            name = self.names[entry.name]
            before = self.store.record(name.file)
            task = read_entry(entry)
            adjustments = self.adjustments.get(name.shown, ())
            key = make_key(self.order, self.course_parts, task, adjustments)
            if before is not None and before.is_final and before.key == key and not self.grades_all:
                self._count(before)
                self.kept += 1
                text = f"{_points(before.score)} (kept)" if before.score is not None else before.problem or "?"
                self.say.graded(name.shown, text, is_trouble=before.score is None)
            elif task.problem is not None and not adjustments:
                self._keep(entry, key, before, Graded(None, None, problem=task.problem))
            else:
                old = self.store.result(name.file) if adjustments else None
                submission = replace(task.submission, name=name.shown)
                yield (entry, key, before), replace(task, submission=submission, adjustments=recall(adjustments, old))

    def _keep(self, entry: Entry, key: dict[str, Any], before: Record | None, graded: Graded | Exception) -> None:
        name = self.names[entry.name]
        if isinstance(graded, Exception):
            # A fault of ours, or of the machine: never a zero, and tried again the next time.
            text = f"not judged: {one_line(str(graded), 500) or type(graded).__name__}"
            graded = Graded(None, None, problem=text, is_final=False)
        result = json.loads(graded.result) if graded.result is not None else None
        record = record_of(name.shown, key, result, graded.problem, before)
        record = replace(record, is_final=graded.is_final, lines=graded.lines)
        self.store.keep(name.file, record, graded.result, graded.report)
        if graded.graphs.keys() - self.drawn:
            self.store.keep_graphs(graded.graphs)
            self.drawn |= graded.graphs.keys()
        self.graded += 1
        self._count(record)
        if record.score is None:
            text = graded.problem or f"? of {_points(result and result['max_score'])}"
        else:
            text = f"{_points(record.score)} of {_points(result and result['max_score'])}"
        self.say.graded(name.shown, text, is_trouble=record.score is None)
        for each in result["adjustments"] if result is not None else ():
            if each["graded"] != each["graded_when_made"]:
                was, now = _points(each["graded_when_made"]), _points(each["graded"])
                text = f"{each['function']} was graded {was} when it was adjusted by hand, and is {now} now"
                self.say.line(f"{name.shown}: {text}")

    def _count(self, record: Record) -> None:
        self.not_judged += not record.is_final
        self.problems += record.is_final and record.score is None
        self.handed_in |= set(record.handed_in)

    def _probably_meant(self) -> str | None:
        """Say which --only was probably meant, if nobody handed in anything about the other assignments."""
        about = [rubric.name for rubric in self.course.rubrics if rubric.name in self.handed_in]
        left = [each for each in self.course.rubrics if not each.optional and each.name not in self.handed_in]
        if self.options.only or self.options.shard is not None or not about or not left:
            return None
        meant = " ".join(f"--only {name}" for name in about)
        return f"nothing was handed in but {', '.join(about)}, and the maximum is of the whole course: add {meant}?"

    def _write_books(self) -> None:
        store = self.store
        try:
            store.write(store.out / "grades.csv", grades_csv(store), encoding="utf-8-sig")
            if (changes := changes_csv(store)) is not None:
                store.write(store.out / "changes.csv", changes, encoding="utf-8-sig")
            page = render_class_report(store, shows_names=self.options.shows_names, compare=self.options.compare)
            store.write(store.out / "index.html", page)
        except OSError as error:
            raise StoppedError(self._how_to_go_on(f"the gradebook could not be written: {error}")) from error

    def _check_course(self, kept: dict[str, Any]) -> dict[str, Any]:
        if kept and kept.get("course") != self.course.title and not self.options.is_fresh:
            text = f"{self.options.out} holds results of the course {one_line(str(kept.get('course')), 100)!r}"
            raise UsageError(f"{text}; give another --out, or --fresh to grade them again with this course")
        return kept

    def _grades_by_new_rules(self, kept: dict[str, Any]) -> bool:
        """Ask whether to grade all again where results were made by other rules; they are never mixed.

        Raises UsageError if that is not wanted, or nobody can be asked.
        """
        rules = kept.get("rules", OLDEST) if kept else RULES
        if rules == RULES or self.options.is_fresh or self.options.draws_seed:
            return False
        out = self.options.out
        since = changes_since(rules) or ["this grader is older than they are"]
        text = "\n".join([f"{out} holds marks given by rules {rules}, and now they are given by rules {RULES}", *since])
        answer = self.say.ask(f"{text}\nGrade everything again, by the rules of now?")
        if answer is None:
            raise UsageError(f"{text}\nAdd --fresh to grade everything again, or give another --out and keep these")
        if not answer:
            raise UsageError(f"nothing was graded, and {out} is as it was; give another --out for results of now")
        return True

    def _as_json(self) -> dict[str, Any]:
        return {
            "format": 1,
            "seed": self.order.seed,
            "rules": RULES,
            "course": self.course.title,
            "course_hash": self.order.course_hash,
            "grader_hash": self.order.grader_hash,
            "assignments": [rubric.name for rubric in self.course.rubrics],
            "system": self.found.system,
            "entries": [self._entry_as_json(entry) for entry in self.found.entries],
        }

    def _entry_as_json(self, entry: Entry) -> dict[str, Any]:
        name = self.names[entry.name]
        people = [{"name": each.name, "id": each.id, "email": each.email} for each in entry.people]
        handed_in = {"submitted_at": entry.submitted_at, "late": entry.is_late, "attempt": entry.attempt}
        return {
            "submission": name.shown,
            "name": entry.name,
            "file": name.file,
            "people": people,
            "system": entry.system,
            "label": entry.label,
            **handed_in,
        }

    def _how_to_go_on(self, reason: str) -> str:
        done = self.kept + self.graded
        text = f"{reason}; {done} of {len(self.own)} are graded and kept"
        return f"{text}. Run the same command again to go on from there."


def _check_places(options: Options) -> None:
    folder, out = options.folder.resolve(), options.out.resolve()
    if out == folder or folder in out.parents:
        raise UsageError(f"--out {options.out} is inside the submissions; give a folder elsewhere")
    if options.compare is not None:
        read_earlier(options.compare)  # so that what is no batch is said before an hour of grading
    if options.draws_seed and (options.seed is not None or options.shard is not None):
        raise UsageError("--new-seed goes with neither --seed nor --shard: parts of one batch need the same seed")
    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"--out {options.out} is a file; give a folder")


def _part(name: str, count: int) -> int:
    """Return which of `count` parts a submission belongs to, whatever else is there."""
    return int.from_bytes(hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:8], "big") % count


def _points(value: float | None) -> str:
    return "?" if value is None else f"{round(value, 2):g}"


def _describe_entry(entry: Entry, task: Task) -> str:
    people = ", ".join(one_line(person.name or person.id, 60) for person in entry.people if person.key != entry.name)
    count = len(task.submission.files)
    files = f"{count} file{'s' * (count != 1)}" if count else ""
    handed_in = [
        entry.submitted_at or "",
        "late" if entry.is_late else "",
        f"attempt {entry.attempt}" if entry.attempt else "",
    ]
    left = [f"{one_line(path, 60)} ({reason})" for path, reason in task.submission.refused.items()]
    more = f" and {len(left) - 2} more" if len(left) > 2 else ""
    not_taken = f"not taken: {', '.join(left[:2])}{more}" if left and task.problem is None else ""
    said = [people, files, *handed_in, not_taken, task.problem or ""]
    return f"  {one_line(entry.name, 100)}: {', '.join(each for each in said if each)}"


# What an executor is asked to do: torch is loaded where it is done, and not in this process, where it is named.


def _grade_task(order: Order, task: Task) -> Graded:
    from grader.batch import worker

    return worker.grade_task(order, task)


def _set_up(order: Order) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from grader.batch import worker

    return worker.set_up(order)


def _settle() -> None:
    from grader.batch import worker

    worker.settle()
