"""`grade train`: a network trained with a student's gradients, from files on a disk to a page."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from grader.course import Course, load_course
from grader.errors import CourseError, SubmissionError, UsageError
from grader.judge.training import Training
from grader.report.training_page import headline, print_training, render_training, sentences
from grader.sandbox.warm import Warm
from grader.workbench.trainer import choose, train

ROOT = Path(__file__).resolve().parents[2]
SOLUTION = (ROOT / "solutions" / "mlp.py").read_text(encoding="utf-8")
LAST = "    return (\n"
DW2 = "dW2 = h.T @ dlogits"

Train = Callable[..., Training]


@pytest.fixture(scope="module")
def train_source(course: Course, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Train a text that was handed in as mlp.py."""

    def train_source(source: str, *, steps: int = 3, seed: int = 0, console: Console | None = None) -> Training:
        path = tmp_path_factory.mktemp("work") / "mlp.py"
        path.write_text(source, encoding="utf-8")
        quiet = console or Console(file=io.StringIO())
        hasty = replace(course, limits=replace(course.limits, call_seconds=1.0))
        return train(hasty, "mlp_backward", path, warm, quiet, steps=steps, seed=seed)

    return train_source


def wrong(line: str) -> str:
    """The solution with one more line in front of its end."""
    assert LAST in SOLUTION
    return SOLUTION.replace(LAST, f"    {line}\n{LAST}")


@pytest.fixture(scope="module")
def right(train_source: Train) -> Training:
    return train_source(SOLUTION, steps=60)


@pytest.fixture(scope="module")
def slip(train_source: Train) -> Training:
    return train_source(SOLUTION.replace(DW2, "dW2 = 2 * h.T @ dlogits"), steps=12)


def test_right_gradients_train_as_autograds_do(right: Training):
    assert right.agrees
    assert right.difference is None
    assert right.student.losses == pytest.approx(right.autograd.losses, rel=1e-9)


def test_right_gradients_lower_the_loss(right: Training):
    assert sum(right.student.losses[-10:]) / 10 < right.student.losses[0] - 0.3


def test_networks_that_are_alike_invent_the_same_names(right: Training):
    assert len(right.student.texts) >= 5
    assert right.student.texts == right.autograd.texts


def test_another_seed_trains_otherwise(right: Training, train_source: Train):
    assert train_source(SOLUTION, seed=1).student.losses[0] != right.student.losses[0]


def test_a_factor_is_named_in_the_first_step(slip: Training):
    assert (slip.difference.step, slip.difference.gradient) == (1, "dW2")
    assert slip.difference.factor == pytest.approx(2)
    assert slip.parted == 2
    assert not slip.agrees
    assert sentences(slip)[0].startswith("dW2 is not autograd's, from the first step on: at [")
    assert sentences(slip)[0].endswith("All of it is 2 times autograd's.")


def test_what_rests_on_a_slip_is_not_to_blame(train_source: Train):
    difference = train_source(SOLUTION.replace("dh_preact = (1 - h**2) * dh", "dh_preact = (1 - h) * dh")).difference

    assert difference.gradient == "dh_preact"
    assert {"dW1", "dC", "dbn_gain"} <= set(difference.others)
    assert difference.factor is None


def test_a_gradient_that_goes_wrong_later_is_named_with_its_step(train_source: Train):
    later = wrong("steps.append(1)\n    dC = dC * (2 if len(steps) > 3 else 1)") + "\n\nsteps = []\n"
    training = train_source(later, steps=7)

    # The process that is asked from the second batch on has not seen the first one.
    assert (training.difference.gradient, training.difference.step) == ("dC", 5)
    assert training.parted == 6
    assert sentences(training)[0].startswith("dC is not autograd's, first in step 5: at [")


def test_a_wrong_gradient_that_the_loss_does_not_notice_leaves_the_curves_the_same(train_source: Train):
    training = train_source(wrong("dlogit_maxes = dlogit_maxes + 1"))

    assert training.difference.gradient == "dlogit_maxes"
    assert training.agrees
    assert "The loss does not notice" in " ".join(sentences(training))


def test_a_size_in_the_code_shows(train_source: Train):
    assert "N = " in SOLUTION or "n = " in SOLUTION
    fixed = re.sub(r"(?m)^(    [nN]) = .*$", r"\1 = 32", SOLUTION)

    assert not train_source(fixed).agrees


STOPS = {
    "a file without the function": ("x = 1\n", "mlp_backward is defined in no file of the submission"),
    "a stub": (
        "def mlp_backward(cache):\n    raise NotImplementedError\n",
        "mlp_backward is not written yet",
    ),
    "the template": (
        (ROOT / "student_template" / "mlp.py").read_text(encoding="utf-8"),
        "mlp_backward is not written yet",
    ),
    "a gradient that is None": (
        wrong("dC = dW1 = None"),
        "mlp_backward gives no dC, dW1 yet, and training needs the gradient of every parameter",
    ),
    "nan": (wrong('dW1 = dW1 * float("nan")'), "dW1 of mlp_backward holds nan or infinite numbers in step 1"),
    "a wrong shape": (wrong("dW1 = dW1.T"), "dW1 of mlp_backward has the shape (100, 24), and W1 has (24, 100)"),
    "float32": (
        wrong("dW1 = dW1.float()"),
        "dW1 of mlp_backward is torch.float32, and the course computes in torch.float64",
    ),
    "an exception": (wrong("raise ValueError('no')"), "mlp_backward raised ValueError: no (mlp.py line "),
    "a hang": ("def mlp_backward(cache):\n    while True: pass\n", "mlp_backward did not finish within 1 s"),
    "autograd": (wrong("cache.loss.backward()"), "mlp_backward: "),
    "no Python": ("def mlp_backward(\n", "mlp.py line 1: "),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_cannot_train_is_said_in_a_sentence(name: str, train_source: Train):
    source, said = STOPS[name]
    training = train_source(source)

    assert training.problem.startswith(said)
    assert training.student.losses == ()
    assert not training.agrees
    assert headline(training).startswith(f"training could not begin. {said}")
    assert headline(training).endswith("Finish that first: `grade --only mlp_backward` says more.")


def test_a_function_that_fails_later_keeps_what_there_is(train_source: Train):
    source = wrong("steps.append(1)\n    if len(steps) > 3: raise ValueError('tired')") + "\n\nsteps = []\n"
    training = train_source(source, steps=6)

    assert training.problem.startswith("mlp_backward raised ValueError: tired (mlp.py line ")
    assert 1 < len(training.student.losses) < 6
    assert len(training.autograd.losses) == 6
    assert not training.agrees
    assert headline(training) == "The curves are the same as far as they go."
    assert "<svg" in render_training(training)


def test_gradients_that_blow_up_end_the_training(train_source: Train):
    training = train_source(wrong("dW2 = dW2 * 1e200"), steps=6)

    assert "Your gradients drove the loss to" in training.problem or "nan or infinite" in training.problem
    assert "<svg" in render_training(training)


def test_the_time_of_a_submission_holds_for_all_batches(course: Course, warm: Warm, tmp_path: Path):
    (tmp_path / "mlp.py").write_text("import time\n" + wrong("time.sleep(0.2)"))
    hasty = replace(course, limits=replace(course.limits, submission_seconds=0.7))
    training = train(hasty, "mlp_backward", tmp_path, warm, Console(file=io.StringIO()), steps=30, seed=0)

    assert re.fullmatch(r"the 0.7 s that a submission may take are used up in step \d", training.problem)


def test_progress_in_a_pipe_is_plain_lines(train_source: Train):
    out = io.StringIO()
    train_source(SOLUTION, steps=2, console=Console(file=out, width=100))

    assert re.fullmatch(r"(step [12] of 2: loss \d\.\d{3}, autograd \d\.\d{3}\n){2}", out.getvalue())


def test_what_is_printed_names_the_slip_and_the_names(slip: Training):
    out = io.StringIO()
    print_training(slip, Console(file=out, width=100))

    assert out.getvalue().startswith("mlp_backward: The curves part in step 2.\ndW2 is not autograd's")
    assert "To look for the reason: grade --only mlp_backward --explain" in out.getvalue()
    assert "\nAutograd's invents: " in out.getvalue()


def test_the_fast_function_and_the_gpt_can_be_trained(course: Course, warm: Warm):
    for function in ("fast_mlp_backward", "gpt_backward"):
        quiet = Console(file=io.StringIO())
        training = train(course, function, ROOT / "solutions", warm, quiet, steps=3, seed=0)

        assert training.agrees, function
        assert training.student.losses[-1] < training.student.losses[0]


WORDS = {
    (): ("mlp_backward", "."),
    ("gpt_backward",): ("gpt_backward", "."),
    ("work",): ("mlp_backward", "work"),
    ("work/gpt.py",): ("gpt_backward", "work/gpt.py"),
    ("gpt_backward", "work"): ("gpt_backward", "work"),
}


@pytest.mark.parametrize("words", WORDS)
def test_words_are_a_function_and_a_path(words, course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "gpt.py").touch()
    monkeypatch.chdir(tmp_path)

    assert choose(course, words) == (WORDS[words][0], Path(WORDS[words][1]))


REFUSED = {
    ("linear_backward",): "linear_backward has no network to train; those that have one are mlp_backward, ",
    ("mlp_backwards", "work"): "mlp_backwards is no function of the course; did you mean `grade train mlp_backward`?",
    ("nowhere",): "nowhere is neither there nor a function to train; those are mlp_backward, ",
    ("mlp_backward", "nowhere"): "nowhere is neither there nor a function to train; those are mlp_backward, ",
}


@pytest.mark.parametrize("words", REFUSED)
def test_other_words_are_refused(words, course: Course):
    with pytest.raises(UsageError, match=re.escape(REFUSED[words])):
        choose(course, words)


def test_a_folder_without_python_is_no_submission(course: Course, warm: Warm, tmp_path: Path):
    with pytest.raises(SubmissionError, match="holds no Python file; give the folder or the file with mlp_backward"):
        train(course, "mlp_backward", tmp_path, warm, Console(file=io.StringIO()), steps=1, seed=0)


def test_a_course_without_a_network_says_so(small_grader):
    with pytest.raises(UsageError, match="nothing in this course can be trained"):
        choose(small_grader.course, ())


def test_a_training_that_says_too_little_is_a_problem_of_the_course(tmp_path: Path):
    shutil.copytree(ROOT / "assignments" / "mlp", tmp_path / "assignments" / "mlp")
    shutil.copytree(ROOT / "assignments" / "softmax_cross_entropy", tmp_path / "assignments" / "softmax_cross_entropy")
    shutil.copytree(ROOT / "assignments" / "batchnorm", tmp_path / "assignments" / "batchnorm")
    (tmp_path / "assignments" / "course.yaml").write_text(
        "format: 1\ntitle: One\nassignments: [softmax_cross_entropy, batchnorm, mlp]\n"
    )
    reference = tmp_path / "assignments" / "mlp" / "reference.py"
    reference.write_text(reference.read_text().replace('"longest": LONGEST', '"length": LONGEST'))

    with pytest.raises(CourseError, match="mlp_training returns no longest; it is a dict of steps, rates, characters"):
        choose(load_course(tmp_path), ())


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(ROOT / "solutions" / "mlp.py", folder)
    return folder


def test_the_command_writes_its_page_beside_the_submission(run_grade, work: Path):
    done = run_grade("train", "mlp_backward", work, "--steps", 2)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Both curves: {work / 'grade-train.html'}\n")
    assert "<script" not in (work / "grade-train.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_costs_no_result(run_grade, work: Path, tmp_path: Path):
    (work / "mlp.py").write_text(SOLUTION.replace(DW2, "dW2 = 2 * h.T @ dlogits"))
    done = run_grade("train", work, "--steps", 2, "--report", tmp_path / "no" / "page.html")

    assert done.returncode == 1
    assert "The curves part in step 2." in done.stdout
    assert "page.html could not be written" in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as POSIX does")
def test_ctrl_c_ends_with_what_there_is(work: Path):
    command = [sys.executable, "-m", "grader", "train", str(work), "--steps", "400"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        first = run.stdout.readline()
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)

    assert first.startswith("step 40 of 400")
    assert run.returncode == 1, err
    assert "You stopped it after step" in out
    assert err == ""
    assert (work / "grade-train.html").is_file()
