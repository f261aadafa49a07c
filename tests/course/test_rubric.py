"""rubric.yaml and course.yaml: what is read, and how each thing that is wrong is said."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.course import (
    CaseSpec,
    Course,
    Limits,
    Place,
    Rubric,
    Tolerance,
    default_course,
    load_course,
    load_rubric,
)
from grader.course import yaml as located_yaml
from grader.errors import CourseError

WHOLE = """\
format: 1
title: A linear layer
exercises:
  linear_backward:
    forward: linear
    given: [dout, x, W]
    gradients:
      dx: {points: 1.5}
      dW:
        points: 2
        hints:
          - A gradient has the shape of its value.
    cases:
      - {name: all sizes differ, N: 5, D: 3}
      - {name: one row, N: 1, D: 3}
"""

# What stands in WHOLE, what is put in its place, and all that is said of it.
MISFITS = {
    "arrays of neither kind": (
        "given: [dout, x, W]",
        "given: [dout, x, W]\n    arrays: jax",
        ["7:13: arrays must be one of 'torch' or 'numpy', not 'jax'"],
    ),
    "an order of no cache": (
        "given: [dout, x, W]",
        "given: [dout, x, W]\n    cache: [x, W]",
        ["7:5: linear_backward is not given a cache; write given: [dout, cache]"],
    ),
    "a value twice in a cache": (
        "given: [dout, x, W]",
        "given: [dout, cache]\n    cache: [x, W, x]",
        ["7:5: `cache` names 'x' twice; remove one"],
    ),
    "an empty cache": (
        "given: [dout, x, W]",
        "given: [dout, cache]\n    cache: []",
        ["7:12: cache must not be empty"],
    ),
    "a cache in an order, of statements": (
        "given: [dout, x, W]",
        "given: [dout, cache]\n    style: statements\n    cache: [x, W]",
        ["8:5: linear_backward is statements, which have every value by name; take `cache` out"],
    ),
    "statements in numpy": (
        "given: [dout, x, W]",
        "given: [dout, cache]\n    style: statements\n    arrays: numpy",
        ["4:3: linear_backward is statements, whose values are torch tensors; take `arrays` out"],
    ),
    "a time in numpy": (
        "given: [dout, x, W]",
        "given: [cache]\n    arrays: numpy\n    timing: {case: one row, ratio: 2}",
        ["8:13: linear_backward is timed beside autograd: it must take torch tensors, and the cache by name"],
    ),
    "a misspelt key of the rubric": (
        "title: A",
        "titel: A",
        ["1:1: the key 'title' is missing", "2:1: unknown key 'titel'; did you mean 'title'?"],
    ),
    "a misspelt key of an exercise": (
        "forward: linear",
        "foward: linear",
        ["5:5: the key 'forward' is missing", "5:5: unknown key 'foward'; did you mean 'forward'?"],
    ),
    "a misspelt key of a gradient": (
        "{points: 1.5}",
        "{points: 1.5, hint: [a]}",
        ["8:25: unknown key 'hint'; did you mean 'hints'?"],
    ),
    "a misspelt key of a gradient's tolerance": (
        "{points: 1.5}",
        "{points: 1.5, tolerance: {rtol: 1.0e-6, atoll: 1.0e-6}}",
        ["8:36: the key 'atol' is missing", "8:51: unknown key 'atoll'; did you mean 'atol'?"],
    ),
    "a misspelt key of an exercise's tolerance": (
        "forward: linear",
        "forward: linear\n    tolerance: {rtol: 1.0, atol: 1.0, rtoll: 1.0}",
        ["6:39: unknown key 'rtoll'; did you mean 'rtol'?"],
    ),
    "a misspelt key of the rubric's tolerance": (
        "format: 1\n",
        "format: 1\ntolerance: {rtol: 1.0, atol: 1.0, atl: 1.0}\n",
        ["2:35: unknown key 'atl'; did you mean 'atol'?"],
    ),
    "an unknown key that is like no other": (
        "{points: 1.5}",
        "{points: 1.5, zzz: 1}",
        ["8:25: unknown key 'zzz'; known here: points, tolerance, hints, shape_hints"],
    ),
    "a case without a name": ("{name: one row, N", "{N", ["15:9: the key 'name' is missing"]),
    "another format": ("format: 1", "format: 2", ["1:9: format must be at most 1, not 2"]),
    "an older format": ("format: 1", "format: 0", ["1:9: format must be at least 1, not 0"]),
    "a format that is no whole number": ("format: 1", "format: 1.5", ["1:9: format must be a whole number, not 1.5"]),
    "a format in quotes": (
        "format: 1",
        "format: '1'",
        ["1:9: format is the text '1', not a number; write it without quotes"],
    ),
    "an exponent without a point": (
        "{points: 1.5}",
        "{points: 1.5, tolerance: {rtol: 1e-6, atol: 1.0e-6}}",
        ["8:43: rtol is the text '1e-6', not a number; YAML reads 1e-6 as text, write 1.0e-6"],
    ),
    "an exponent with a sign": (
        "{points: 1.5}",
        "{points: -2E+3}",
        ["8:20: points is the text '-2E+3', not a number; YAML reads -2E+3 as text, write -2.0E+3"],
    ),
    "a number in quotes": (
        "{points: 1.5}",
        "{points: '1.5'}",
        ["8:20: points is the text '1.5', not a number; write it without quotes"],
    ),
    "negative points": ("{points: 1.5}", "{points: -1}", ["8:20: points must be at least 0, not -1"]),
    "infinite points": ("{points: 1.5}", "{points: .inf}", ["8:20: points must be a finite number, not inf"]),
    "points that are no number": ("{points: 1.5}", "{points: .nan}", ["8:20: points must be a finite number, not nan"]),
    "points left empty": ("{points: 1.5}", "{points: }", ["8:12: points must be a number, not None"]),
    "a yes for points": ("{points: 1.5}", "{points: yes}", ["8:20: points must be a number, not True"]),
    "a tolerance of zero": (
        "{points: 1.5}",
        "{points: 1.5, tolerance: {rtol: 0, atol: -1.0e-6}}",
        ["8:43: rtol must be greater than 0, not 0", "8:52: atol must be greater than 0, not -1e-06"],
    ),
    "a share above one": (
        "format: 1\n",
        "format: 1\nfollow_through: 1.5\n",
        ["2:17: follow_through must be at most 1, not 1.5"],
    ),
    "a no for a title": (
        "title: A linear layer",
        "title: no",
        ["2:8: title must be text, not False; put it in quotes"],
    ),
    "a number for a title": (
        "title: A linear layer",
        "title: 12",
        ["2:8: title must be text, not 12; put it in quotes"],
    ),
    "a date for a title": (
        "title: A linear layer",
        "title: 2026-01-31",
        ["2:8: title must be text, not datetime.date(2026, 1, 31); put it in quotes"],
    ),
    "a blank title": ("title: A linear layer", "title: '  '", ["2:8: title must not be empty"]),
    "a case called no": ("name: one row", "name: no", ["15:16: name must be text, not False; put it in quotes"]),
    "a yes for a size": (
        "N: 1,",
        "N: yes,",
        ["15:28: N is true, and the input maker is given numbers and texts; write N: 1"],
    ),
    "a mapping for a size": (
        "N: 1,",
        "N: {a: 1},",
        ["15:28: N must be a number, a text or a list of them, not {'a': 1}"],
    ),
    "an empty size": ("N: 1,", "N: ,", ["15:25: N must be a number, a text or a list of them, not None"]),
    "a yes inside a size": (
        "N: 1,",
        "N: [[1, yes]],",
        ["15:28: N must be a number, a text or a list of them, not [[1, True]]"],
    ),
    "a repeated key": (
        "title: A linear layer",
        "title: A linear layer\ntitle: Another",
        ["3:1: the key 'title' is repeated (first on line 2); remove one"],
    ),
    "a repeated key in a case": (
        "{name: one row, N: 1, D: 3}",
        "{name: one row, N: 1, D: 3, N: 2}",
        ["15:37: the key 'N' is repeated (first on line 15); remove one"],
    ),
    "a repeated gradient": (
        "      dW:\n",
        "      dx:\n",
        ["9:7: the key 'dx' is repeated (first on line 8); remove one"],
    ),
    "an alias": (
        "dx: {points: 1.5}",
        "dx: &all {points: 1.5}\n      db: *all",
        ["9:11: an alias (*name); write the value out in full"],
    ),
    "an alias of what it stands in": (
        "[dout, x, W]",
        "&all [dout, *all]",
        ["6:24: an alias (*name); write the value out in full"],
    ),
    "a merge of mappings": (
        "{points: 1.5}",
        "{<<: {points: 1.5}, points: 1}",
        ["8:12: unknown key '<<'; known here: points, tolerance, hints, shape_hints"],
    ),
    "a tab": ("    forward: linear", "\tforward: linear", ["5:1: not YAML: a tab; indent with spaces"]),
    "a bracket left open": (
        "[dout, x, W]",
        "[dout, x, W",
        ["7:14: not YAML: expected ',' or ']', but got ':'"],
    ),
    "two documents": ("exercises:", "---\nexercises:", ["3:1: not YAML: but found another document"]),
    "a tag that builds an object": (
        "title: A linear layer",
        "title: !!python/object/apply:os.system [ls]",
        ["2:8: title must be text, not ['ls']; put it in quotes"],
    ),
    "a tag of one's own": (
        "title: A linear layer",
        "title: !mine A",
        ["2:8: not a value: could not determine a constructor for the tag '!mine'"],
    ),
    "a number of five thousand digits": (
        "N: 1,",
        f"N: {'9' * 5000},",
        [
            "15:28: not a value: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 "
            "digits; use sys.set_int_max_str_digits() to increase the limit"
        ],
    ),
    "a day that no month has": (
        "title: A linear layer",
        "title: 2026-02-31",
        ["2:8: not a value: day is out of range for month"],
    ),
    "a list for a key": (
        "title: A",
        "[a, b]: A",
        ["1:1: the key 'title' is missing", "2:1: a key must be a plain name"],
    ),
    "a number for a key": (
        "title: A",
        "1: A",
        [
            "1:1: the key 'title' is missing",
            "2:1: unknown key '1'; known here: format, title, exercises, tolerance, follow_through, style, arrays, "
            "aliases, unit_axes, float32",
        ],
    ),
    "a gradient without its d": (
        "      dx:",
        "      x:",
        ["8:7: 'x' is not the name of a gradient; write d followed by the name of its value, as in dW"],
    ),
    "a function that is no name": (
        "  linear_backward:",
        "  linear-backward:",
        ["4:3: 'linear-backward' is not a Python name"],
    ),
    "a function called [key]": (
        "  linear_backward:\n    forward",
        '  "[key]":\n    foward',
        [
            "4:3: '[key]' is not a Python name",
            "5:5: the key 'forward' is missing",
            "5:5: unknown key 'foward'; did you mean 'forward'?",
        ],
    ),
    "a given that is one text": (
        "[dout, x, W]",
        "dout",
        ["6:12: given must be a list, not 'dout'; write [a, b] or one line for each with '- '"],
    ),
    "a given that is empty": ("[dout, x, W]", "[]", ["6:12: given must not be empty"]),
    "a given that is no name": ("[dout, x, W]", "[dout, x y]", ["6:19: 'x y' is not a Python name"]),
    "a gradient that is a number": (
        "{points: 1.5}",
        "1.5",
        ["8:11: dx must be a mapping of keys to values, not 1.5"],
    ),
    "a case that is a text": (
        "- {name: one row, N: 1, D: 3}",
        "- one row",
        ["15:9: cases[1] must be a mapping of keys to values, not 'one row'"],
    ),
    "a forward that is no function": (
        "forward: linear",
        "forward: other/linear",
        [
            "5:14: 'other/linear' is not the name of a function; "
            "write FUNCTION, or ASSIGNMENT.FUNCTION of another assignment"
        ],
    ),
    "mistakes of no function": (
        "forward: linear",
        "forward: linear\n    mistakes_of: {other.linear.backward: [dx]}",
        [
            "6:19: 'other.linear.backward' is not the name of a function; "
            "write FUNCTION, or ASSIGNMENT.FUNCTION of another assignment"
        ],
    ),
    "mistakes for no gradient": (
        "forward: linear",
        "forward: linear\n    mistakes_of: {other.linear_backward: []}",
        ["6:42: other.linear_backward must not be empty"],
    ),
    "mistakes for a gradient that is not returned": (
        "forward: linear",
        "forward: linear\n    mistakes_of: {other.linear_backward: [dx, db]}",
        ["6:19: `mistakes_of` names 'db', which linear_backward does not return"],
    ),
    "two cases of one name": (
        "name: one row",
        "name: all sizes differ",
        ["15:16: the case 'all sizes differ' is named twice; give it a name of its own"],
    ),
}

# The whole file, and all that is said of it.
FILES = {
    "empty": (b"", ["1:1: the file is empty"]),
    "a comment only": (b"# later\n", ["1:1: the file is empty"]),
    "null": (b"null\n", ["1:1: the file is empty"]),
    "a tilde": (b"~", ["1:1: the file is empty"]),
    "a list": (b"[a]", ["1:1: the file must be a mapping of keys to values, not ['a']"]),
    "a text": (b"hello", ["1:1: the file must be a mapping of keys to values, not 'hello'"]),
    "a long text": (b"word " * 20, [f"1:1: the file must be a mapping of keys to values, not 'word {'word ' * 6}w..."]),
    "a control character": (
        b"title: \x01",
        ["1:1: not YAML: unacceptable character #x0001: special characters are not allowed"],
    ),
    "another encoding": (
        WHOLE.encode("utf-16"),
        ["1:1: the file could not be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"],
    ),
    "a thousand brackets": (b"[" * 1000 + b"]" * 1000, ["1:1: nested too deeply to be a rubric"]),
    "a thousand braces": (b"{a: " * 1000 + b"1" + b"}" * 1000, ["1:1: nested too deeply to be a rubric"]),
}

SIX = """\
format: 1
titel: A linear layer
exercises:
  linear_backward:
    forward: linear
    given: dout
    gradients:
      dx: {points: 1.5, tolerance: {rtol: 1e-6, atol: 1.0e-13}}
      dW: {points: -2, hint: [Look at the shapes.]}
    cases:
      - {name: all sizes differ, N: 5}
      - {name: all sizes differ, N: 5, N: 6}
"""

# The whole text of a course.yaml for the course of the fixture, and all that is said of it.
COURSES = {
    "a version that is a number": (
        "format: 1\ntitle: A\nversion: 2.10\nassignments: [linear]\n",
        ["3:10: version must be text, not 2.1; put it in quotes"],
    ),
    "a language by its name": (
        "format: 1\ntitle: A\nlanguage: Deutsch\nassignments: [linear]\n",
        ["3:11: 'Deutsch' is no code of a language; write en, de, pt-BR or the like"],
    ),
    "a misspelt key": (
        "format: 1\ntitle: A\nassignment: [linear]\n",
        ["1:1: the key 'assignments' is missing", "3:1: unknown key 'assignment'; did you mean 'assignments'?"],
    ),
    "a misspelt limit": (
        "format: 1\ntitle: A\nassignments: [linear]\nlimits: {call_second: 1}\n",
        ["4:10: unknown key 'call_second'; did you mean 'call_seconds'?"],
    ),
    "limits that allow nothing": (
        "format: 1\ntitle: A\nassignments: [linear]\nlimits: {call_seconds: 0, memory_mb: 1, output_kb: 0}\n",
        [
            "4:24: call_seconds must be greater than 0, not 0",
            "4:38: memory_mb must be at least 64, not 1",
            "4:52: output_kb must be at least 1, not 0",
        ],
    ),
    "half a megabyte": (
        "format: 1\ntitle: A\nassignments: [linear]\nlimits: {memory_mb: 64.5}\n",
        ["4:21: memory_mb must be a whole number, not 64.5"],
    ),
    "no assignments": ("format: 1\ntitle: A\nassignments: []\n", ["3:14: assignments must not be empty"]),
    "an assignment listed twice": (
        "format: 1\ntitle: A\nassignments: [linear, linear]\n",
        ["3:23: the assignment 'linear' is listed twice; remove one"],
    ),
    "an assignment that is not there": (
        "format: 1\ntitle: A\nassignments:\n  - linear\n  - attention\n",
        ["5:5: {folder}/assignments/attention/rubric.yaml is not there"],
    ),
    "an assignment outside the course": (
        "format: 1\ntitle: A\nassignments: [../linear]\n",
        ["3:15: '../linear' is not a Python name"],
    ),
    "other names that are no list": (
        "format: 1\ntitle: A\nassignments: [linear]\nalso_called: {x: X}\n",
        ["4:18: x must be a list, not 'X'; write [a, b] or one line for each with '- '"],
    ),
    "another name that is no name": (
        "format: 1\ntitle: A\nassignments: [linear]\nalso_called: {x: [X, 1st]}\n",
        ["4:22: '1st' is not a Python name"],
    ),
    "other names of nothing": (
        "format: 1\ntitle: A\nassignments: [linear]\nalso_called: {x: []}\n",
        ["4:18: x must not be empty"],
    ),
    "empty": ("", ["1:1: the file is empty"]),
    "null": ("null", ["1:1: the file is empty"]),
}


@pytest.fixture
def assignment(tmp_path: Path) -> Path:
    """The folder of an assignment whose rubric is WHOLE."""
    folder = tmp_path / "assignments" / "linear"
    folder.mkdir(parents=True)
    (folder / "rubric.yaml").write_text(WHOLE)
    (folder.parent / "course.yaml").write_text("format: 1\ntitle: A course\nassignments: [linear]\n")
    return folder


def read(folder: Path, text: str) -> Rubric:
    """Return the rubric that a text is, written into a folder."""
    (folder / "rubric.yaml").write_text(text, encoding="utf-8")
    return load_rubric(folder)


def problems(folder: Path, content: bytes) -> list[str]:
    """Return what is said of a rubric, without its path."""
    (folder / "rubric.yaml").write_bytes(content)
    with pytest.raises(CourseError) as caught:
        load_rubric(folder)
    return [problem.removeprefix(f"{folder}/rubric.yaml:") for problem in caught.value.problems]


def test_a_whole_rubric_is_read_as_it_stands(assignment):
    rubric = load_rubric(assignment)

    (exercise,) = rubric.exercises
    assert (rubric.name, rubric.title, rubric.path) == ("linear", "A linear layer", assignment / "rubric.yaml")
    assert (exercise.function, exercise.forward) == ("linear_backward", "linear")
    assert exercise.given == ("dout", "x", "W")
    assert [(each.name, each.value, each.points) for each in exercise.gradients] == [("dx", "x", 1.5), ("dW", "W", 2.0)]
    assert exercise.gradients[1].hints == ("A gradient has the shape of its value.",)
    assert [(case.name, dict(case.sizes)) for case in exercise.cases] == [
        ("all sizes differ", {"N": 5, "D": 3}),
        ("one row", {"N": 1, "D": 3}),
    ]
    assert exercise.max_score == 3.5


def test_every_part_knows_its_place_in_the_file(assignment):
    (exercise,) = load_rubric(assignment).exercises

    places = [exercise.place, *(each.place for each in exercise.gradients), *(each.place for each in exercise.cases)]

    assert [(place.line, place.column) for place in places] == [(4, 3), (8, 7), (9, 7), (14, 9), (15, 9)]
    assert str(exercise.place) == f"{assignment}/rubric.yaml:4:3"


def test_a_byte_order_mark_before_a_rubric_is_read_over(assignment):
    (assignment / "rubric.yaml").write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())

    assert load_rubric(assignment).title == "A linear layer"


def test_what_is_left_out_has_its_default(assignment):
    (exercise,) = load_rubric(assignment).exercises

    assert exercise.gradients[0].tolerance == Tolerance(rtol=1e-11, atol=1e-13)
    assert exercise.gradients[0].hints == ()
    assert exercise.detached == ()
    assert exercise.follow_through == 1.0


def test_the_nearest_tolerance_holds(assignment):
    text = (
        WHOLE.replace("format: 1\n", "format: 1\ntolerance: {rtol: 1.0e-3, atol: 1.0e-4}\n")
        .replace("{points: 1.5}", "{points: 1.5, tolerance: {rtol: 1.0e-7, atol: 1.0e-8}}")
        .replace("    forward: linear", "    tolerance: {rtol: 1.0e-5, atol: 1.0e-6}\n    forward: linear")
    )
    other = textwrap.indent(textwrap.dedent(WHOLE.split("exercises:\n")[1]), "  ").replace("linear_", "other_")

    first, second = read(assignment, text + other).exercises

    assert [each.tolerance for each in first.gradients] == [Tolerance(1e-7, 1e-8), Tolerance(1e-5, 1e-6)]
    assert {each.tolerance for each in second.gradients} == {Tolerance(1e-3, 1e-4)}


def test_the_nearest_share_for_follow_through_holds_even_if_it_is_zero(assignment):
    text = WHOLE.replace("format: 1\n", "format: 1\nfollow_through: 0.5\n")

    (inherited,) = read(assignment, text).exercises
    (own,) = read(assignment, text.replace("    forward", "    follow_through: 0\n    forward")).exercises

    assert (inherited.follow_through, own.follow_through) == (0.5, 0.0)


def test_a_size_may_be_a_number_a_text_or_a_list_of_them(assignment):
    rubric = read(assignment, WHOLE.replace("N: 1, D: 3", "N: 1.5, words: [emma, [1, 2]], model_config: a"))

    assert dict(rubric.exercises[0].cases[1].sizes) == {"N": 1.5, "words": ["emma", [1, 2]], "model_config": "a"}


def test_nothing_of_a_rubric_can_be_changed(assignment):
    exercise = load_rubric(assignment).exercises[0]

    with pytest.raises(AttributeError, match="cannot assign to field"):
        exercise.forward = "other"
    with pytest.raises(TypeError, match="does not support item assignment"):
        exercise.cases[0].sizes["N"] = 6


@pytest.fixture(params=[yaml.SafeLoader, located_yaml.FAST_LOADER], ids=["PyYAML", "libyaml"])
def either_loader(request, monkeypatch):
    """Read YAML with libyaml, where it is there, and without."""
    monkeypatch.setattr(located_yaml, "FAST_LOADER", request.param)


@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(("old", "new", "said"), MISFITS.values(), ids=MISFITS)
def test_each_misfit_is_one_line_with_its_place(assignment, old, new, said):
    assert WHOLE.count(old) >= 1

    text = new.join(WHOLE.rsplit(old, 1))

    assert said == problems(assignment, text.encode())


@pytest.mark.usefixtures("either_loader")
@pytest.mark.parametrize(("content", "said"), FILES.values(), ids=FILES)
def test_each_file_that_is_no_rubric_is_one_line(assignment, content, said):
    assert said == problems(assignment, content)


def test_six_errors_are_told_at_once_from_the_top_down(assignment):
    assert problems(assignment, SIX.encode()) == [
        "1:1: the key 'title' is missing",
        "2:1: unknown key 'titel'; did you mean 'title'?",
        "6:12: given must be a list, not 'dout'; write [a, b] or one line for each with '- '",
        "8:43: rtol is the text '1e-6', not a number; YAML reads 1e-6 as text, write 1.0e-6",
        "9:20: points must be at least 0, not -2",
        "9:24: unknown key 'hint'; did you mean 'hints'?",
        "12:40: the key 'N' is repeated (first on line 12); remove one",
    ]


def test_a_missing_rubric_is_said_with_its_path(tmp_path):
    with pytest.raises(CourseError) as caught:
        load_rubric(tmp_path)

    assert str(caught.value) == f"{tmp_path}/rubric.yaml:1:1: the file is not there"


def test_a_rubric_that_is_a_folder_is_said_so(assignment):
    (assignment / "rubric.yaml").unlink()
    (assignment / "rubric.yaml").mkdir()

    with pytest.raises(CourseError, match=r"rubric\.yaml:1:1: the file could not be read: .*Is a directory"):
        load_rubric(assignment)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_a_rubric_or_a_course_error(assignment, content):
    check_fuzz(assignment, content)


# Pieces of rubrics, glued together in any order: deeper into the reader than bytes get.
PIECES = st.lists(
    st.sampled_from(
        [
            *WHOLE.splitlines(keepends=True),
            *(
                "  ",
                "\t",
                "- ",
                ": ",
                "[",
                "]",
                "{",
                "}",
                '"',
                "'",
                "\n",
                "---\n",
                "? ",
                "|\n",
                "%",
                "\ufeff",
                "\u2028",
            ),
            *(
                "~",
                "1e-6",
                ".nan",
                "yes",
                "2001-01-01",
                "9" * 5000,
                "&a ",
                "*a",
                "<<: ",
                "!!set ",
                "!!omap ",
                "!!float x",
            ),
            *("!!binary x", "'[key]': ", "dx: {pts: 1}", "tolerance: {rtol: 1}\n", "d: ", '"\\ud800"'),
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PIECES)
def test_any_pieces_of_rubrics_are_a_rubric_or_a_course_error(assignment, text):
    check_fuzz(assignment, text.encode())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(WHOLE)), st.integers(0, 30), PIECES)
def test_any_slip_in_a_rubric_is_a_rubric_or_a_course_error(assignment, start, length, piece):
    check_fuzz(assignment, (WHOLE[:start] + piece + WHOLE[start + length :]).encode())


def check_fuzz(folder: Path, content: bytes) -> None:
    """Load anything as a rubric: it is one, or an error that says at least one thing, each on one line with a place."""
    (folder / "rubric.yaml").write_bytes(content)
    try:
        found = load_rubric(folder)
    except CourseError as error:
        said = error.problems
    else:
        said = None
        assert isinstance(found, Rubric)
    assert said != ()
    for problem in said or ():
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*: \S.*", problem.removeprefix(f"{folder}/rubric.yaml:")), problem


@pytest.mark.parametrize("depth", [50, 150, 240, 320, 400, 480, 900])
@pytest.mark.parametrize("around", ["[1]", "{a: 1}"])
def test_no_depth_of_nesting_is_too_much_for_the_reader(assignment, around, depth):
    text = "1"
    for _ in range(depth):
        text = around.replace("1", text)

    check_fuzz(assignment, WHOLE.replace("N: 1,", f"N: {text},").encode())


@pytest.mark.parametrize(("text", "said"), COURSES.values(), ids=COURSES)
def test_each_misfit_of_a_course_is_one_line_with_its_place(assignment, text, said):
    folder = assignment.parents[1]
    (folder / "assignments" / "course.yaml").write_text(text)

    with pytest.raises(CourseError) as caught:
        load_course(folder)

    place = f"{folder}/assignments/course.yaml:"
    assert [place + line.replace("{folder}", str(folder)) for line in said] == list(caught.value.problems)


def test_a_course_has_a_version_and_a_language_of_its_own(assignment):
    (assignment / "rubric.yaml").write_text(WHOLE)
    file = assignment.parent / "course.yaml"
    file.write_text('format: 1\ntitle: A\nversion: "2.10"\nlanguage: pt-BR\nassignments: [linear]\n')

    course = load_course(assignment.parents[1])

    assert (course.version, course.language) == ("2.10", "pt-BR")


def test_a_course_is_its_assignments_in_order_with_limits(assignment):
    folder = assignment.parents[1]
    other = assignment.parent / "other"
    other.mkdir()
    (other / "rubric.yaml").write_text(WHOLE.replace("linear_backward", "other_backward"))
    text = "format: 1\ntitle: Two\nassignments: [other, linear]\nlimits: {call_seconds: 2, memory_mb: 64}\n"
    (assignment.parent / "course.yaml").write_text(text)

    course = load_course(folder)

    assert (course.title, course.folder) == ("Two", folder)
    assert [rubric.name for rubric in course.rubrics] == ["other", "linear"]
    assert course.limits == Limits(call_seconds=2.0, submission_seconds=60.0, memory_mb=64, output_kb=256)


def test_the_problems_of_all_rubrics_are_told_at_once(assignment):
    other = assignment.parent / "other"
    other.mkdir()
    (other / "rubric.yaml").write_text("")
    (assignment / "rubric.yaml").write_text(WHOLE.replace("format: 1", "format: 2"))
    (assignment.parent / "course.yaml").write_text("format: 1\ntitle: Two\nassignments: [none, other, linear]\n")

    with pytest.raises(CourseError) as caught:
        load_course(assignment.parents[1])

    assert [
        f"{assignment.parent}/course.yaml:3:15: {assignment.parent}/none/rubric.yaml is not there",
        f"{other}/rubric.yaml:1:1: the file is empty",
        f"{assignment}/rubric.yaml:1:9: format must be at most 1, not 2",
    ] == list(caught.value.problems)


def test_a_function_belongs_to_one_assignment(assignment):
    other = assignment.parent / "other"
    other.mkdir()
    (other / "rubric.yaml").write_text(WHOLE)
    (assignment.parent / "course.yaml").write_text("format: 1\ntitle: Two\nassignments: [linear, other]\n")

    with pytest.raises(CourseError) as caught:
        load_course(assignment.parents[1])

    said = f"{other}/rubric.yaml:4:3: linear_backward is an exercise of linear already"
    assert str(caught.value) == said


@pytest.mark.parametrize("name", ["nowhere", "n" * 300, "a\0b"])
def test_a_folder_without_a_course_is_said_so(tmp_path, name):
    folder = tmp_path / name

    with pytest.raises(CourseError) as caught:
        load_course(folder)

    said = f"{folder} is not a course: {folder}/assignments/course.yaml is not there"
    assert str(caught.value) == f"{said}; --course takes the folder above assignments/"


def test_a_rubric_that_cannot_be_read_is_said_so(assignment):
    # What root cannot read either.
    (assignment / "rubric.yaml").unlink()
    (assignment / "rubric.yaml").mkdir()

    with pytest.raises(CourseError, match=r"could not be read: .*Is a directory"):
        load_rubric(assignment)


def test_the_course_of_the_checkout_is_read(course):
    assert isinstance(course, Course)
    assert default_course() == course.folder
    exercises = [exercise for rubric in course.rubrics for exercise in rubric.exercises]
    assert all(isinstance(exercise.place, Place) for exercise in exercises)
    assert all(isinstance(case, CaseSpec) for exercise in exercises for case in exercise.cases)


def test_an_exercise_is_found_by_its_function_with_its_rubric(course):
    rubric, exercise = course.exercise("linear_backward")

    assert (rubric.name, exercise.function) == ("linear", "linear_backward")
    assert rubric.exercise("linear_backward") is exercise
    assert exercise.gradient("dW") is exercise.gradients[exercise.gradient_names.index("dW")]
    assert exercise.case("one row").name == "one row"


def test_what_a_course_does_not_have_is_a_key_error(course):
    rubric, exercise = course.exercise("linear_backward")

    for find in (course.exercise, rubric.exercise, exercise.gradient, exercise.case):
        with pytest.raises(KeyError, match="'nothing'"):
            find("nothing")


def test_what_the_reader_fills_in_is_no_key_of_a_file(assignment):
    text = WHOLE.replace("{points: 1.5}", "{points: 1.5, name: dx, place: here}")

    assert problems(assignment, text.encode()) == [
        "8:25: unknown key 'name'; known here: points, tolerance, hints, shape_hints",
        "8:35: unknown key 'place'; known here: points, tolerance, hints, shape_hints",
    ]


def test_hints_of_the_course_about_shapes_are_marked_as_such(course: Course):
    gradients = [each for rubric in course.rubrics for exercise in rubric.exercises for each in exercise.gradients]

    assert not [hint for each in gradients for hint in each.hints if "the shape of its value" in hint]
    assert sum(bool(each.shape_hints) for each in gradients) > 50
