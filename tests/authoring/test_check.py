"""`grade check` on a course in which every assignment is broken in one way, and one is whole."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.authoring.template import make_template

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
RUBRIC = """\
format: 1
title: An exponential
exercises:
  NAME_backward:
    forward: exponential
    given: [dout, x]
    gradients:
      dx: {points: 2}
    cases:
      - {name: small, N: 3}
      - {name: large, N: 5}
"""
REFERENCE = """\
def exponential_inputs(rng, N):
    return {"x": rng.normal(N)}


def exponential(t):
    t.u = t.x.exp()
    t.out = 2 * t.u
"""
# Wrong by more than any honest rounding, and by less than a tolerance of 1.0e-2.
SLIGHT = '''\


def NAME_backward__dx__slightly_off(d):
    """You added a small number."""
    return d.dx + 1e-3
'''
MISTAKES = '''\
def NAME_backward__dx__upstream(dout):
    """You returned the upstream gradient."""
    return dout
'''
SOLUTION = '''\
"""An exponential."""


def NAME_backward(dout, x):
    """Find dx."""
    # BEGIN SOLUTION
    NAME = x.exp()
    dx = 2 * dout * NAME  # (N,)
    # END SOLUTION
    return dx
'''
README = "# An exponential\n"

# An assignment, what is put in place of what in which of its files, and the line that must be said of it.
# {a} is the folder of the assignment, {c} the folder of the course; None takes the file away.
BROKEN: Mapping[str, tuple[str, str, str | None, str]] = {
    "readme_missing": ("{a}/README.md", "", None, r"{a}/README\.md: the file is missing"),
    "mistakes_missing": ("{a}/mistakes.py", "", None, r"{a}/mistakes\.py: the file is missing"),
    "stray": (
        "{a}/notes.txt",
        "",
        "later",
        r"{a}/notes\.txt: a stray file; an assignment has README\.md, rubric\.yaml, reference\.py, mistakes\.py and "
        r"what reference\.py reads",
    ),
    "template_stale": (
        "{c}/student_template/NAME.py",
        "Find dx.",
        "Find it.",
        r"{c}/student_template/NAME\.py:7: not what the solution gives; run `grade template`",
    ),
    "template_missing": (
        "{c}/student_template/NAME.py",
        "",
        None,
        r"{c}/student_template/NAME\.py:1: not what the solution gives; run `grade template`",
    ),
    "solution_missing": ("{c}/solutions/NAME.py", "", None, r"{c}/solutions/NAME\.py: the solution is not there"),
    "marker_unpaired": (
        "{c}/solutions/NAME.py",
        "    # END SOLUTION\n",
        "",
        r"{c}/solutions/NAME\.py:6: # BEGIN SOLUTION without # END SOLUTION",
    ),
    "leak": (
        "{a}/README.md",
        "exponential\n",
        "exponential\n\n    dx = 2 * dout * NAME\n",
        r"{a}/README\.md:3: a line of the solution of \w+: dx = 2 \* dout \* NAME",
    ),
    "past_its_name": (
        "{a}/reference.py",
        "    t.u = t.x.exp()\n    t.out = 2 * t.u",
        "    u = t.x.exp()\n    t.v = 1 * u\n    t.u = u\n    t.out = t.u + t.v",
        r"{a}/rubric\.yaml:4:3: case small: the trace's du differs from plain autograd's by \d\.\de[+-]\d\d; "
        r"is a value of exponential computed past its name\?",
    ),
    "rule_broken": (
        "{a}/reference.py",
        "t.u = t.x.exp()",
        "t.u = t.x",
        r"{a}/reference\.py:6: t\.u is t\.x under a second name; a value has one name",
    ),
    "zero_in_truth": (
        "{a}/reference.py",
        "t.out = 2 * t.u",
        "t.out = 2 * (t.u - t.x.exp())",
        r"{a}/rubric\.yaml:8:7: dx is zero in truth, so zeros would earn its points; give it 0",
    ),
    "mistake_none": (
        "{a}/mistakes.py",
        MISTAKES,
        "",
        r"{a}/rubric\.yaml:4:3: NAME_backward has no mistake in {a}/mistakes\.py; what do people get wrong in it\?",
    ),
    "mistake_right": (
        "{a}/mistakes.py",
        "(dout):",
        "(dout, x):\n    return 2 * dout * (x / 2).exp() ** 2\n\n\ndef NAME_backward__dx__other(dout):",
        r"{a}/mistakes\.py:1: NAME_backward__dx__upstream: it has no docstring, which is what the student is told",
    ),
    "mistake_that_is_right": (
        "{a}/mistakes.py",
        "    return dout\n",
        "    return dout\n\n\ndef NAME_backward__dx__other(d, dout):\n"
        '    """You found it."""\n    return d.dx * (1 + 1e-13)\n',
        r"{a}/mistakes\.py:6: NAME_backward__dx__other is no mistake: it is right in every case and seed; mend it or "
        r"take it out",
    ),
    "mistake_name": (
        "{a}/mistakes.py",
        "__dx__",
        "__dz__",
        r"{a}/mistakes\.py:1: NAME_backward__dz__upstream: NAME_backward returns no dz",
    ),
    "tolerance_loose": (
        "{a}/rubric.yaml",
        "{points: 2}",
        "{points: 2, tolerance: {rtol: 1.0e-2, atol: 1.0e-2}}",
        r"{a}/rubric\.yaml:8:7: the tolerance of dx \(rtol 0\.01, atol 0\.01\) lets wrong gradients pass: float32, "
        r"central difference, slightly_off \(mistakes\.py:6\); tighten it or mend the cases",
    ),
    "mistake_on_loan": (
        "{a}/rubric.yaml",
        "{points: 2}\n",
        "{points: 2, tolerance: {rtol: 1.0e-2, atol: 1.0e-2}}\n"
        "    mistakes_of: {tolerance_loose.tolerance_loose_backward: [dx]}\n",
        r"{a}/rubric\.yaml:8:7: the tolerance of dx \(rtol 0\.01, atol 0\.01\) lets wrong gradients pass: float32, "
        r"central difference, slightly_off \(tolerance_loose/mistakes\.py:6\); tighten it or mend the cases",
    ),
    "tolerance_tight": (
        "{a}/rubric.yaml",
        "{points: 2}",
        "{points: 2, tolerance: {rtol: 1.0e-25, atol: 1.0e-25}}",
        r"{c}/tests/honest/NAME\.py:1: NAME_backward__otherwise is right and does not pass: it has dx off by "
        r"\d(\.\d)?e-1\d, \d(\.\d+)?e\+09 times the tolerance \(rtol 1e-25, atol 1e-25\); too tight\?",
    ),
    "cases_hide_a_mistake": (
        "{a}/mistakes.py",
        "    return dout\n",
        "    return dout\n\n\ndef NAME_backward__dx__sometimes(d, dout):\n"
        '    """You looked at the sign of the first entry."""\n    return d.dx if dout[0] > 0 else dout\n',
        r"{a}/rubric\.yaml:8:7: the tolerance of dx \(rtol 1e-11, atol 1e-13\) lets wrong gradients pass: sometimes "
        r"\(mistakes\.py:6\) with seed [\d, ]+; tighten it or mend the cases",
    ),
    "reference_raises": (
        "{a}/reference.py",
        "t.x.exp()",
        "t.x.expp()",
        r"{a}/reference\.py:6: the forward raised AttributeError: .*",
    ),
    "reference_without_a_graph": (
        "{a}/reference.py",
        "t.x.exp()",
        "t.x.detach().exp()",
        r"{a}/reference\.py:6: t\.u depends on no float value of the trace .*",
    ),
    "reference_forgets_a_name": (
        "{a}/reference.py",
        "    t.u = t.x.exp()\n",
        "",
        r"{a}/reference\.py:6: t\.u is read before it is assigned",
    ),
    "reference_names_past_the_trace": (
        "{a}/reference.py",
        "t.out = 2 * t.u",
        "w = t.u * 2\n    t.w = w\n    t.out = w.exp()",
        r"{a}/reference\.py:9: t\.out is computed from the value of t\.w without reading it; write t\.w in its place",
    ),
    "solution_wrong": (
        "{c}/solutions/NAME.py",
        "2 * dout",
        "3 * dout",
        r"{c}/solutions/NAME\.py:4: the solution's NAME_backward has dx off by \S+, \S+ times the tolerance "
        r"\(rtol 1e-11, atol 1e-13\); so with every seed",
    ),
    "solution_elsewhere": (
        "{c}/solutions/NAME.py",
        "def NAME_backward",
        "def NAME_forward",
        r"{a}/rubric\.yaml:4:3: NAME_backward has points, and {c}/solutions/NAME\.py does not define it",
    ),
    "solution_raises": (
        "{c}/solutions/NAME.py",
        "x.exp()",
        "x.expp()",
        r"{c}/solutions/NAME\.py:7: the solution's NAME_backward raised: AttributeError: .*; so with every seed",
    ),
    "solution_unmarked": (
        "{c}/solutions/NAME.py",
        "# BEGIN SOLUTION\n    NAME = x.exp()\n    dx = 2 * dout * NAME  # (N,)\n    # END SOLUTION",
        "dx = 2 * dout * x.exp()",
        r"{c}/solutions/NAME\.py:4: the template's NAME_backward scores 2 and is returned; it must score 0 and be "
        r"not_written",
    ),
}
HONEST = """\
def NAME_backward__otherwise(dout, x):
    return dout / 3 * (x / 7 * 7).exp() * 6
"""


def write_assignment(course: Path, name: str) -> None:
    """Write a whole assignment."""
    folder = course / "assignments" / name
    folder.mkdir(parents=True)
    contents = {"README.md": README, "rubric.yaml": RUBRIC, "reference.py": REFERENCE, "mistakes.py": MISTAKES}
    for file, content in contents.items():
        (folder / file).write_text(content.replace("NAME", name))
    (course / "solutions").mkdir(exist_ok=True)
    (course / "solutions" / f"{name}.py").write_text(SOLUTION.replace("NAME", name))
    (course / "student_template").mkdir(exist_ok=True)
    write_template(course, name)


def write_template(course: Path, name: str) -> None:
    template = make_template(course / "solutions" / f"{name}.py")
    (course / "student_template" / f"{name}.py").write_text(template)


def break_assignment(course: Path, name: str) -> None:
    """Break one assignment in its way; its template is renewed where that is not the way."""
    place, old, new, _ = (part and part.replace("NAME", name) for part in BROKEN[name])
    path = Path(place.format(a=course / "assignments" / name, c=course))
    if new is None:
        path.unlink()
        return
    content = path.read_text() if path.exists() else ""
    assert old in content
    path.write_text(content.replace(old, new, 1) if old else new)
    if path.parent.name == "solutions" and name != "marker_unpaired":
        write_template(course, name)


def write_course_file(course: Path, names: list[str]) -> None:
    (course / "assignments" / "course.yaml").write_text(f"format: 1\ntitle: A course\nassignments: {names}\n")


@pytest.fixture(scope="session")
def broken_course(tmp_path_factory) -> Path:
    """A course of one whole assignment and one for each entry of BROKEN."""
    course = tmp_path_factory.mktemp("check") / "course"
    for name in ("whole", *BROKEN):
        write_assignment(course, name)
    with (course / "assignments" / "tolerance_loose" / "mistakes.py").open("a") as file:
        file.write(SLIGHT.replace("NAME", "tolerance_loose"))
    (course / "assignments" / "mistake_on_loan" / "mistakes.py").write_text("")
    for name in BROKEN:
        break_assignment(course, name)
    (course / "tests" / "honest").mkdir(parents=True)
    (course / "tests" / "honest" / "tolerance_tight.py").write_text(HONEST.replace("NAME", "tolerance_tight"))
    write_course_file(course, ["whole", *BROKEN])
    return course


@pytest.fixture(scope="session")
def checked(broken_course, run_grade_in) -> subprocess.CompletedProcess[str]:
    """What `grade check` says of that course."""
    return run_grade_in(broken_course, "check", "--course", broken_course)


def lines_of(finished: subprocess.CompletedProcess[str], name: str) -> list[str]:
    """Return the findings of one assignment: the lines below its own, which are those that begin with a path."""
    _, _, rest = finished.stdout.partition(f" {name} (")
    own = re.split(r"^[✓✗?] ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return [line.strip() for line in own.splitlines() if line.startswith("  /")]


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_proof_is_named(broken_course, checked, name):
    said = BROKEN[name][3].replace("NAME", name)
    pattern = said.replace("{a}", re.escape(f"{broken_course}/assignments/{name}"))
    pattern = pattern.replace("{c}", re.escape(str(broken_course)))

    found = lines_of(checked, name)

    assert any(re.fullmatch(pattern, line) for line in found), found


def test_a_whole_assignment_holds_beside_broken_ones(checked):
    assert "✓ whole (1 mistakes)" in checked.stdout
    assert lines_of(checked, "whole") == []
    assert not [name for name in BROKEN if f"✓ {name} (" in checked.stdout]


def test_what_does_not_hold_ends_with_1_and_is_counted(checked):
    findings = [line for line in checked.stdout.splitlines() if line.startswith("  /")]

    assert checked.returncode == 1
    assert checked.stdout.splitlines()[-1] == f"{len(findings)} to mend."


def test_every_finding_about_text_has_its_line(checked):
    findings = [line for line in checked.stdout.splitlines() if line.startswith("  /")]
    without = [line.split(": ", 1)[1] for line in findings if not re.match(r"  \S+:\d+(:\d+)?: ", line)]

    # A file that is not there, or has no business there, has no line.
    about_files = ("the file is missing", "a stray file", "the solution is not there", "the file is not there")
    assert [said for said in without if not said.startswith(about_files)] == []


def test_nothing_is_said_twice(checked):
    findings = [line for line in checked.stdout.splitlines() if line.startswith("  /")]

    assert len(findings) == len(set(findings))


def test_an_assignment_by_its_name_is_checked_alone(broken_course, run_grade):
    finished = run_grade("check", "whole", "--course", broken_course)

    assert (finished.returncode, finished.stderr) == (0, "")
    assert "✓ whole (1 mistakes)" in finished.stdout
    assert finished.stdout.splitlines()[-1] == "All hold."


def test_a_course_without_solutions_cannot_be_checked(broken_course, tmp_path, run_grade):
    course = tmp_path / "course"
    shutil.copytree(broken_course / "assignments", course / "assignments")

    finished = run_grade("check", "--course", course)

    assert finished.returncode == 2
    said = f"{course} has no solutions/, which the proof needs; run it in the course's own checkout"
    assert finished.stderr == f"grade: {said}\n"


def test_an_assignment_that_is_not_there_cannot_be_checked(small_course_folder, run_grade):
    finished = run_grade("check", "attention", "--course", small_course_folder)

    assert finished.returncode == 2
    assert finished.stderr == "grade: attention is no assignment of the course; there are linear, dropout\n"


def test_rubric_errors_of_all_assignments_end_with_2(tmp_path, run_grade):
    course = tmp_path / "course"
    for name in ("first", "second"):
        write_assignment(course, name)
        rubric = course / "assignments" / name / "rubric.yaml"
        rubric.write_text(rubric.read_text().replace("dx: {", "dz: {"))
    write_course_file(course, ["first", "second"])

    finished = run_grade("check", "--course", course)

    said = "dz: the forward has no value 'z'; it has dx, du, dout"
    lines = [f"{course}/assignments/{name}/rubric.yaml:8:7: {said}" for name in ("first", "second")]
    assert finished.returncode == 2
    assert finished.stderr.splitlines() == [f"grade: {lines[0]}", lines[1]]


def test_a_bessel_factor_in_the_solution_of_batch_norm_is_found_at_its_function(tmp_path, run_grade):
    course = tmp_path / "course"
    for part in ("assignments", "solutions", "student_template"):
        (course / part).mkdir(parents=True)
    shutil.copytree(ROOT / "assignments" / "batchnorm", course / "assignments" / "batchnorm")
    shutil.copyfile(ROOT / "student_template" / "batchnorm.py", course / "student_template" / "batchnorm.py")
    solution = (ROOT / "solutions" / "batchnorm.py").read_text()
    assert "dbn_var.expand_as(bn_diff_sq) / n " in solution
    changed = solution.replace("dbn_var.expand_as(bn_diff_sq) / n ", "dbn_var.expand_as(bn_diff_sq) / (n - 1) ")
    (course / "solutions" / "batchnorm.py").write_text(changed)
    write_course_file(course, ["batchnorm"])

    run_grade("template", "--course", course)
    finished = run_grade("check", "--course", course)

    line = solution.splitlines().index("def batchnorm_steps_backward(dout, cache):") + 1
    findings = [found for found in finished.stdout.splitlines() if found.startswith("  /")]
    said = f"  {course}/solutions/batchnorm.py:{line}: the solution's batchnorm_steps_backward has dbn_diff_sq off by "
    assert finished.returncode == 1
    assert [found[: len(said)] for found in findings] == [said]
    assert findings[0].endswith("; so with every seed")


def test_a_tolerance_loosened_in_a_real_course_names_the_mistake_and_the_tolerance(
    small_course_folder, tmp_path, run_grade
):
    course = shutil.copytree(small_course_folder, tmp_path / "course")
    rubric = course / "assignments" / "dropout" / "rubric.yaml"
    rubric.write_text(rubric.read_text().replace("format: 1\n", "format: 1\ntolerance: {rtol: 1.0e-2, atol: 1.0e-2}\n"))

    finished = run_grade("check", "dropout", "--course", course)

    assert finished.returncode == 1
    assert "(rtol 0.01, atol 0.01) lets wrong gradients pass: float32" in finished.stdout


def test_the_last_lines_name_the_nearest_margin_on_each_side(checked):
    lines = checked.stdout.splitlines()[-5:-1]

    assert re.fullmatch(r"\d+ mistakes and \d+ gradients in \d+ assignments, each on ten seeds\.", lines[0])
    assert [line.split("10^")[0].strip() for line in lines[1:] if "10^" in line]
    assert [line[:21].strip() for line in lines[1:]] == [
        "nearest right answer",
        "nearest wrong answer",
        "nearest mistake",
    ]
