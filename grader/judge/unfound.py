"""Why there is nothing to grade in a submission, and what to do about it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from grader.course import Course
from grader.sandbox.answer import Answer
from grader.submission import Submission
from grader.text import one_line

# From so many gradients on, statements outside of functions are a lesson's exercise.
ENOUGH_STATEMENTS = 4
MAX_NEAR = 200  # names of a submission that are compared with those of the course


def explain_nothing(
    submission: Submission,
    unreadable: Mapping[str, Answer],
    functions: Sequence[str],
    course: Course,
    *,
    is_tried: bool,
) -> str:
    """Say why there is nothing to grade, and what to do about it; `is_tried` if statements were looked for, too."""
    start = "`grade start` makes a folder with a file for each assignment"
    if submission.first:
        start = "run the cells with your functions, then grade again"
    if not submission.files and not submission.refused:
        return f"{submission.name} holds no Python file; {start}"
    broken = "; ".join(answer.message for answer in unreadable.values())
    if all(file in unreadable for file in submission.files):
        return broken
    text = f"no function of the course is defined in {submission.name}"
    source = b"\n".join(submission.files.values()).decode("utf-8", errors="replace")
    statements = _lesson_statements(source, course)
    if len(statements) >= ENOUGH_STATEMENTS:
        made = f"gradients ({', '.join(statements[:3])}, ...)"
        text += f"; its {made} stand where none are looked for" if is_tried else f": it makes {made} outside of them"
        start = f"the functions to put them into are in the files that `grade start` writes ({functions[0]}, ...)"
        if is_tried:
            start = "write them as statements, in a notebook's cells or at the top of a script, as the lesson does"
        elif "makemore" in [rubric.name for rubric in course.rubrics]:
            command = "%grade makemore" if submission.first else f"grade {submission.name} --only makemore"
            start = f"the lesson's own notebook is graded by `{command}`"
    else:
        text += f" (looked for {', '.join(functions[:4])}{', ...' if len(functions) > 4 else ''})"
        # One that stands there in full was found by nobody: it is not written as Python.
        written = dict.fromkeys(re.findall(r"\bdef (\w+)\(", source))
        if (inside := next((name for name in written if name in functions), None)) is not None:
            return f"{text}; {inside} stands in its text, but not as Python that can be read: is the file broken?"
        for name in list(written)[:MAX_NEAR]:
            near = difflib.get_close_matches(name, functions, n=1, cutoff=0.85)
            if near:
                return f"{text}; is {one_line(name, 100)} meant to be {near[0]}?"
    # What could not be read comes first: the functions may be in there.
    return "; ".join(filter(None, [broken, text, start]))


def _lesson_statements(source: str, course: Course) -> list[str]:
    """Return the names of gradients that a text assigns in the words of this course or of the lesson it comes from."""
    values = {gradient.value for rubric in course.rubrics for each in rubric.exercises for gradient in each.gradients}
    values |= {alias for aliases in course.also_called.values() for alias in aliases}
    known = {f"d{value}".replace("_", "") for value in values}
    # In a notebook, a line ends in the two characters of JSON.
    found = dict.fromkeys(re.findall(r"\b(d[A-Za-z]\w*) *\+?=(?!=)", source.replace("\\n", "\n")))
    return [name for name in found if len(name) > 3 and name.replace("_", "") in known]
