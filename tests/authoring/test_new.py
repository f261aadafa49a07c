"""A new assignment made from a forward pass: what is written, what is kept, what is said, and that it holds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from torch import Tensor

from grader.authoring.check import check_course
from grader.authoring.completeness import check_completeness
from grader.authoring.new import new_assignment
from grader.authoring.new.formulas import tex_of_line
from grader.authoring.new.listing import add_to_listing
from grader.authoring.new.passes import find_passes
from grader.course import Rubric, load_course, load_rubric
from grader.course.cases import Reference
from grader.course.mistakes import load_bank
from grader.errors import CourseError, UsageError

ROOT = Path(__file__).resolve().parents[2]

TWO = '''"""Two ways to bend a line."""


def bend_inputs(rng, N, D):
    return {"x": rng.normal(N, D), "gain": 1 + 0.5 * rng.normal(D)}


def bend(t):
    t.scaled = t.x * t.gain
    t.out = t.scaled.tanh()


def spread_inputs(rng, N, D):
    return {"x": rng.normal(N, D)}


def spread(t):
    n = t.x.shape[0]
    t.mean = t.x.sum(dim=0, keepdim=True) / n
    t.diff = t.x - t.mean
    t.out = (t.diff**2 + 1e-5) ** 0.5
'''
SOLUTION = """
    dx = dout @ W.T  # (N, D)
    dW = x.T @ dout  # (D, M)
    db = dout.sum(dim=0)  # (M,)
"""


def make(folder: Path, name: str, reference: str) -> Rubric:
    """Make an assignment in a course from the text of its reference."""
    path = folder / "assignments" / name / "reference.py"
    path.parent.mkdir(parents=True)
    path.write_text(reference, encoding="utf-8")
    new_assignment(folder, name)
    return load_rubric(path.parent)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A course of two assignments, each made from nothing but its reference."""
    folder = tmp_path_factory.mktemp("made")
    make(folder, "linear", (ROOT / "assignments" / "linear" / "reference.py").read_text(encoding="utf-8"))
    make(folder, "bends", TWO)
    return folder


def said(folder: Path, warm, *names: str) -> list[str]:
    """Return what a check of a course finds, without the folder's own path."""
    found = [finding for proof in check_course(load_course(folder), names, warm) for finding in proof.findings]
    return [finding.replace(f"{folder}/", "") for finding in found]


def test_without_a_reference_a_small_one_is_written_and_two_steps_are_said(tmp_path):
    found = new_assignment(tmp_path / "own", "scale")

    path = tmp_path / "own" / "assignments" / "scale" / "reference.py"
    assert found.written == [each for each in (tmp_path / "own").rglob("*") if each.is_file()] == [path]
    assert found.next_steps == [
        f"Write the forward pass in {path}: what is there is an example.",
        f"Make the rest of it: grade new scale --course {tmp_path / 'own'}",
    ]


def test_the_small_one_is_an_assignment_already(run_grade, tmp_path):
    new_assignment(tmp_path / "own", "scale")
    second = run_grade("new", "scale", "--course", "own")

    assert second.stdout.splitlines() == [
        "written: own/assignments/scale/rubric.yaml",
        "written: own/assignments/scale/mistakes.py",
        "written: own/assignments/scale/README.md",
        "written: own/solutions/scale.py",
        "written: own/assignments/course.yaml",
        "written: own/student_template/scale.py",
        "written: own/student_template/backprop.ipynb",
        "kept: own/assignments/scale/reference.py",
        "",
        "What to do next:",
        "1. Write the solution in own/solutions/scale.py: a formula in place of each None.",
        "2. Prove it: grade check scale --course own",
        "3. Read own/assignments/scale/rubric.yaml: points, which gradients to ask for, and hints that lead further.",
        "4. Read own/assignments/scale/mistakes.py: add the slips that your students make, in your own words.",
        "5. Write what is marked in own/assignments/scale/README.md, then: grade template --course own",
        "6. See what is missing: grade check scale --strict --course own",
    ]
    assert load_course(tmp_path / "own").title == "Own"


def test_a_check_says_nothing_but_what_its_author_must_write(made, warm):
    text = "is not written yet; put its formulas between BEGIN SOLUTION and END SOLUTION"

    assert said(made, warm) == [
        f"solutions/linear.py:4: the solution's linear_backward {text}",
        f"solutions/bends.py:4: the solution's bend_backward {text}",
        f"solutions/bends.py:29: the solution's spread_backward {text}",
    ]


def test_with_the_solution_written_it_holds(made, warm, tmp_path):
    folder = Path(shutil.copytree(made, tmp_path / "course"))
    path = folder / "solutions" / "linear.py"
    unwritten = re.compile(r"(?<=# BEGIN SOLUTION)\n.*(?=    # END SOLUTION)", re.DOTALL)
    path.write_text(unwritten.sub(SOLUTION, path.read_text(encoding="utf-8")), encoding="utf-8")

    assert said(folder, warm, "linear") == []


def test_a_strict_check_finds_what_is_marked_in_the_text(made):
    lines = [
        line.replace(f"{made}/assignments/linear/", "") for line in check_completeness(load_course(made).rubrics[0])
    ]

    assert [line for line in lines if "still to write" in line] == [
        "README.md:7: still to write: why it matters, and where students meet it again",
        "README.md:26: still to write: a small example with every number, down to the gradients",
        "README.md:35: still to write: what students got wrong last year",
    ]


def test_each_forward_makes_an_exercise_that_asks_for_all_in_backward_order(made):
    bends = load_course(made).rubrics[1]

    assert {exercise.function: exercise.gradient_names for exercise in bends.exercises} == {
        "bend_backward": ("dscaled", "dx", "dgain"),
        "spread_backward": ("ddiff", "dmean", "dx"),
    }
    assert {gradient.points for exercise in bends.exercises for gradient in exercise.gradients} == {1.0}


def test_the_sizes_of_each_case_differ_and_one_has_a_single_row(made):
    cases = load_course(made).rubrics[0].exercises[0].cases

    assert {case.name: dict(case.sizes) for case in cases} == {
        "all sizes differ": {"N": 5, "D": 3, "M": 4},
        "more D than N": {"N": 2, "D": 6, "M": 3},
        "one row": {"N": 1, "D": 4, "M": 5},
    }


def test_a_single_row_is_left_out_where_gradients_vanish_with_it(made):
    spread = load_course(made).rubrics[1].exercise("spread_backward")

    assert [case.name for case in spread.cases] == ["all sizes differ", "more D than N"]


def test_what_is_zero_in_truth_has_no_points(tmp_path):
    centred = """

def f_inputs(rng, N, D):
    return {"x": rng.normal(N, D), "b": rng.normal(D)}


def f(t):
    t.pre = t.x + t.b
    t.mean = t.pre.mean(dim=0, keepdim=True)
    t.out = t.pre - t.mean
"""
    rubric = make(tmp_path, "f", centred)

    points = {gradient.name: gradient.points for gradient in rubric.exercises[0].gradients}
    assert points == {"dmean": 1, "dpre": 1, "dx": 1, "db": 0}


def test_a_sum_that_is_always_zero_becomes_a_property(made):
    spread = load_course(made).rubrics[1].exercise("spread_backward")

    assert [(each.kind, each.of, each.dim) for each in spread.invariants if each.dim is not None] == [
        ("sums_to_zero", ("dx",), 0)
    ]


def test_the_table_of_the_text_has_every_value_with_its_shape(made):
    text = (made / "assignments" / "linear" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| \(([\w, ]+)\) \|", text, re.MULTILINE))
    rubric = load_course(made).rubrics[0]
    for case, spec in zip(Reference(rubric).make_cases(rubric.exercises[0], 0), rubric.exercises[0].cases, strict=True):
        shapes = {name: tuple(spec.sizes[letter] for letter in re.findall(r"\w+", row)) for name, row in rows.items()}

        assert shapes == {
            name: tuple(value.shape) for name, value in case.forward.values.items() if isinstance(value, Tensor)
        }


def test_the_template_is_the_solution_until_that_is_written(made):
    template = (made / "student_template" / "linear.py").read_text(encoding="utf-8")

    assert template.endswith(
        "    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.\n"
        "    dx = None  # (N, D)\n    dW = None  # (D, M)\n    db = None  # (M,)\n    return dx, dW, db\n"
    )


def test_a_mistake_is_written_in_the_words_of_its_line(made):
    bank = {
        f"{each.function}__{each.gradient}__{each.name}": each.sentence
        for each in load_bank(load_course(made).rubrics[1])
    }

    assert bank["spread_backward__dx__only_through_mean"] == (
        "This is what comes back through mean. x is read by diff, too, and uses add."
    )
    assert bank["spread_backward__ddiff__small_number_missing"] == (
        "You left out the 1e-05. The forward takes the power of a sum with that number in it."
    )
    assert bank["bend_backward__dscaled__slope_of_input"] == "You squared what tanh was taken of, and not what it gave."


def test_a_line_without_a_rule_has_the_slips_that_any_gradient_has(tmp_path):
    reference = (ROOT / "assignments" / "embedding" / "reference.py").read_text(encoding="utf-8")

    assert [mistake.name for mistake in load_bank(make(tmp_path, "embedding", reference))] == [
        "sign_lost",
        "divided_by_rows",
    ]


def test_steps_whose_names_depend_on_a_length_are_not_asked_for(tmp_path):
    loop = """

def f_inputs(rng, T, D):
    return {"x": rng.normal(T, D), "h0": rng.normal(D)}


def f(t):
    for k in range(len(t.x)):
        setattr(t, f"h{k + 1}", (getattr(t, f"h{k}") + t.x[k]).tanh())
    t.out = getattr(t, f"h{len(t.x)}") * 2
"""

    assert make(tmp_path, "f", loop).exercises[0].gradient_names == ("dx", "dh0")


def test_what_is_there_is_kept_and_named(made, tmp_path):
    folder = Path(shutil.copytree(made, tmp_path / "course"))
    own = folder / "assignments" / "linear"
    (own / "mistakes.py").write_text("# mine\n", encoding="utf-8")
    rubric = (own / "rubric.yaml").read_text(encoding="utf-8").replace("points: 1\n", "points: 2\n", 1)
    (own / "rubric.yaml").write_text(rubric, encoding="utf-8")
    (own / "README.md").unlink()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".ipynb"}

    found = new_assignment(folder, "linear")

    assert [path.name for path in found.written if path.suffix != ".ipynb"] == ["README.md"]
    assert [str(path.relative_to(folder)) for path in found.kept] == [
        "assignments/linear/reference.py",
        "assignments/linear/rubric.yaml",
        "assignments/linear/mistakes.py",
        "solutions/linear.py",
        "assignments/course.yaml",
        "student_template/linear.py",
    ]
    assert {path: path.read_bytes() for path in before} == before
    # What is made anew is made from the rubric as it stands.
    assert "| `linear_backward` | `dx` | 2 |" in (own / "README.md").read_text(encoding="utf-8")


LISTINGS = {
    "block": (
        "title: A\nassignments:  # in this order\n  - one\n  - two  # the last\n# limits\nlimits: {}\n",
        "title: A\nassignments:  # in this order\n  - one\n  - two  # the last\n  - new\n# limits\nlimits: {}\n",
    ),
    "not indented, no end of line": ("assignments:\n- one", "assignments:\n- one\n- new\n"),
    "flow": ("assignments: [one, two]  # all\n", "assignments: [one, two, new]  # all\n"),
    "mapping": (
        "assignments:\n  - {name: one, optional: true}\n",
        "assignments:\n  - {name: one, optional: true}\n  - new\n",
    ),
    "block mapping": (
        "assignments:\n  - name: one\n    optional: true  # not asked for\n\nweeks: {}\n",
        "assignments:\n  - name: one\n    optional: true  # not asked for\n  - new\n\nweeks: {}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), LISTINGS.values(), ids=LISTINGS)
def test_the_list_of_a_course_gets_a_line_and_keeps_the_rest(before, after, tmp_path):
    path = tmp_path / "course.yaml"
    path.write_text(before, encoding="utf-8")

    assert add_to_listing(path, "new") == after


FORWARD = 'def f_inputs(rng, N, D):\n    return {"x": rng.normal(N, D)}\n\n\ndef f(t):\n'
BROKEN = {
    f"{FORWARD}    t.h = t.x * 2\n    t.h = t.h + 1\n    t.out = t.h\n": (
        "7: t.h is assigned twice; give the second value a name of its own"
    ),
    "def f(t):\n    t.out = t.x * 2\n": (
        "1: the forward f has no input maker; write `def f_inputs(rng, N, D):`, which returns its inputs by name"
    ),
    'def f_inputs(rng):\n    return {"x": rng.normal(3)}\n\n\ndef f(t):\n    t.out = t.x * 2\n': (
        "1: f_inputs takes no sizes, so all cases would be alike; write `def f_inputs(rng, N, D):`"
    ),
    "def f_inputs(rng, N):\n    return rng.normal(N)\n\n\ndef f(t):\n    t.out = t.x * 2\n": (
        "1: f_inputs must return a dict of inputs by name, not Tensor"
    ),
    f"{FORWARD}    t.out = t.x @ t.x\n": (
        "6: the forward raised RuntimeError: mat1 and mat2 shapes cannot be multiplied (5x3 and 5x3) "
        "(with N=5, D=3, and so with all other sizes that were tried)"
    ),
    f"{FORWARD}    t.out = (t.x * 0).sqrt()\n": "5: dx of f is not finite; draw inputs with which it is",
    "x = 1\n": (
        "1: there is no forward pass; write a function of a trace, `def NAME(t):`, with lines such as `t.out = ...`"
    ),
    "def f(t:\n": "1: not Python: '(' was never closed",
}


@pytest.mark.parametrize(("reference", "message"), BROKEN.items(), ids=range(len(BROKEN)))
def test_what_is_wrong_in_a_reference_is_a_sentence_and_nothing_is_written(reference, message, tmp_path):
    path = tmp_path / "assignments" / "f" / "reference.py"
    with pytest.raises(CourseError) as caught:
        make(tmp_path, "f", reference)

    assert str(caught.value) == f"{path}:{message}"
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]


def test_sizes_that_a_forward_cannot_take_are_passed_over(tmp_path):
    reference = f"{FORWARD}    t.halves = t.x.reshape(len(t.x), 2, -1)\n    t.out = t.halves.sum(dim=1)\n"
    cases = make(tmp_path, "f", reference).exercises[0].cases

    assert all(case.sizes["D"] % 2 == 0 for case in cases)


def test_a_function_that_another_assignment_has_is_refused(made, tmp_path):
    folder = Path(shutil.copytree(made, tmp_path / "course"))
    with pytest.raises(CourseError) as caught:
        make(folder, "again", TWO)

    place = folder / "assignments" / "again" / "reference.py"
    assert caught.value.problems == (
        f"{place}:8: bend_backward is a function of bends already; give the forward bend another name",
        f"{place}:17: spread_backward is a function of bends already; give the forward spread another name",
    )


def test_a_name_that_no_file_could_have_is_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"^rms-norm cannot name an assignment: it is also a file in Python; write rms_norm$"
    ):
        new_assignment(tmp_path, "rms-norm")


TEX = {
    "t.x @ t.w": r"x \, w",
    "(t.x + t.y) * t.w_in": r"\left(x + y\right) \cdot \mathrm{w\_in}",
    "t.x - (t.y - 1)": r"x - \left(y - 1\right)",
    "-t.x / t.y": r"\frac{-x}{y}",
    "(t.x**2).mean(dim=1, keepdim=True)": r"\mathrm{mean}_{D}\left(x^{2}\right)",
    "(t.x + 1e-5) ** -0.5": r"\left(x + 10^{-5}\right)^{-0.5}",
    "torch.exp(t.x).sum(1)": r"\mathrm{sum}_{D}\left(\exp\left(x\right)\right)",
    "t.x.T": r"x^{\top}",
    "t.x.max(dim=0).values": r"\max_{N}\left(x\right)",
    "t.x[:, 0]": None,
}


def test_a_line_is_written_as_a_formula_if_one_can_say_it(tmp_path):
    lines = "".join(f"    t.v{number} = {line}\n" for number, line in enumerate(TEX))
    total = " + ".join(f"t.v{number}.sum()" for number in range(len(TEX)))
    path = tmp_path / "reference.py"
    path.write_text(
        "import torch\n\n\ndef f_inputs(rng, N, D):\n"
        '    return {"x": rng.uniform(N, D), "y": rng.normal(N, D), "w": rng.normal(D, N), "w_in": rng.normal(D)}\n'
        f"\n\ndef f(t):\n{lines}    t.out = {total}\n",
        encoding="utf-8",
    )
    (found,) = find_passes(path, {})

    for number, tex in enumerate(TEX.values()):
        wanted = None if tex is None else rf"\mathrm{{v{number}}} = {tex}"
        assert tex_of_line(found, f"v{number}") == wanted
