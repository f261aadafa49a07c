"""`%grade` and `grader.check` in a real kernel of Jupyter: what is graded, what is shown, and what is left behind."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import grader
from grader.errors import UsageError

pytestmark = pytest.mark.slow
SECONDS = 60
# A few functions, so that each test has one that no other test defines: a kernel forgets nothing.
EXP = "def exp_backward(dout, out):\n    return dout * {}\n"
TANH = "def tanh_backward(dout, out):\n    return dout * {}\n"
LINEAR = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum({})\n"
DROPOUT = "def dropout_backward(dout, mask, p):\n    return dout * mask / (1 - p){}\n"
ALL_RIGHT = "Everything is right. There is nothing left to do."
STATEMENTS = """dlogits = F.softmax(logits, 1)
dlogits[range(n), Yb] -= 1
dlogits /= n"""


@dataclass
class Shown:
    """What a cell showed: its output by media type, the name and the text of an error, and what was printed."""

    data: dict[str, str] = field(default_factory=dict)
    error: tuple[str, list[str]] | None = None
    printed: str = ""

    @property
    def line(self) -> str:
        return self.data["text/plain"]


Run = Callable[[str], Shown]


@contextmanager
def start_kernel(folder: Path) -> Iterator[tuple[Run, Callable[[], None]]]:
    """Start a kernel in a folder; gives what runs a cell, and what kills the kernel."""
    manager_of = pytest.importorskip("jupyter_client.manager")
    pytest.importorskip("ipykernel")
    manager, client = manager_of.start_new_kernel(kernel_name="python3", cwd=str(folder))

    def run(cell: str) -> Shown:
        shown = Shown()

        def take(message: dict) -> None:
            content = message["content"]
            match message["msg_type"]:
                case "execute_result" | "display_data":
                    shown.data = content["data"]
                case "error":
                    shown.error = content["ename"], content["traceback"]
                case "stream":
                    shown.printed += content["text"]

        client.execute_interactive(cell, output_hook=take, timeout=SECONDS)
        return shown

    try:
        yield run, lambda: manager.shutdown_kernel(now=True)
    finally:
        client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel()
        manager.cleanup_resources()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebook lies."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[Run]:
    """One kernel for all tests, with the magic."""
    with start_kernel(folder) as (run, _):
        assert run("%load_ext grader").error is None
        yield run


def test_the_definition_that_ran_last_is_graded_with_helpers_from_other_cells(run: Run):
    run(EXP.format("dout"))
    run("def same(x):\n    return x")
    run(EXP.format("same(out)"))

    assert run("%grade exp_backward").line == f"0.5 of 0.5 points. {ALL_RIGHT}"

    run(EXP.format("same(out) + 1"))

    assert run("%grade exp_backward").line == "0 of 0.5 points. Look at dx in exp_backward: wrong values."


def test_a_panel_is_shown_below_a_line_and_tells_the_line_by_the_number_of_its_cell(run: Run):
    run(TANH.format("out"))
    run(TANH.format("(1 - out)"))
    number = run("len(In) - 2").line

    shown = run("%grade tanh_backward").data["text/html"]

    assert shown.startswith("<p>0 of 1 points. Look at dx in tanh_backward: wrong values.</p>\n<iframe sandbox ")
    assert re.findall(r"(cell \d+)</bdi> line 2", html.unescape(shown)) == [f"cell {number}"]


def test_check_is_the_magic_as_a_function(run: Run, folder: Path):
    (folder / "dropout.py").write_text(DROPOUT.format(""))

    run("import grader\npanel = grader.check('dropout_backward')")

    assert run("panel.score, panel.max_score, panel").line == f"(2.0, 2.0, 2 of 2 points. {ALL_RIGHT})"
    assert "<iframe" in run("panel").data["text/html"]


def test_what_a_notebook_has_run_goes_before_a_file_beside_it(run: Run, folder: Path):
    (folder / "linear.py").write_text(LINEAR.format(1))
    assert run("%grade linear").line == "3.5 of 5 points. Look at db in linear_backward: wrong shape."

    run(LINEAR.format(0))
    shown = run("%grade linear")

    assert shown.line == f"5 of 5 points. {ALL_RIGHT}"
    assert "linear_backward is written in notebook.ipynb and otherwise in linear.py" in shown.data["text/html"]


def test_what_is_imported_from_a_folder_beside_it_travels(run: Run, folder: Path):
    (folder / "own").mkdir()
    (folder / "own" / "sums.py").write_text("def over(x, t):\n    return t.expand_as(x)\n")

    run("from own.sums import *")
    run("def sum_backward(dout, x):\n    return over(x, dout)\n")

    assert run("%grade sum_backward").line == f"0.75 of 0.75 points. {ALL_RIGHT}"


def test_a_file_that_a_cell_has_written_counts_as_it_is_by_now(run: Run, folder: Path):
    run("%%writefile embedding.py\ndef embedding_backward(dout, X, C):\n    raise NotImplementedError\n")
    (folder / "embedding.py").write_text(
        "import torch\n\n\ndef embedding_backward(dout, X, C):\n"
        "    return torch.zeros_like(C).index_put((X,), dout, True)\n"
    )

    shown = run("%grade embedding")

    assert shown.line == f"5 of 5 points. {ALL_RIGHT}"
    assert "not written" not in shown.data["text/html"]


def test_statements_of_the_lesson_are_graded_though_the_kernel_could_not_run_them(run: Run):
    assert run(STATEMENTS).error is not None

    assert run("%grade exercise_2").line.endswith(ALL_RIGHT)


# What stands in a cell that grades, and the sentence that it ends in.
REFUSED = {
    "a misspelt name": (
        "%grade linaer",
        "grade: linaer: the course has no assignment or function of that name; did you mean linear?",
    ),
    "a function that no cell has defined": (
        "import grader; grader.check('power_backward')",
        "grade: no function of the course is defined in notebook.ipynb (looked for power_backward); run the cells with "
        "your functions, then grade again",
    ),
}


@pytest.mark.parametrize(("cell", "said"), REFUSED.values(), ids=REFUSED)
def test_an_error_is_a_sentence_and_no_traceback(cell: str, said: str, run: Run):
    shown = run(cell)

    assert shown.error == ("GraderError", [said])
    assert shown.printed == ""


def test_the_kernel_loads_neither_torch_nor_numpy(run: Run):
    run("%grade exercise_2")

    assert run("import sys; 'torch' in sys.modules, 'numpy' in sys.modules").line == "(False, False)"


def test_a_kernel_that_is_killed_leaves_no_process(tmp_path: Path):
    if not Path("/proc/self/task").is_dir():
        pytest.skip("only Linux tells a process's children as files")
    with start_kernel(tmp_path) as (run, kill):
        kernel = int(run("%load_ext grader\nimport os; os.getpid()").line)
        deadline = time.monotonic() + SECONDS
        while len(started := _descendants(kernel)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        kill()
        while any(map(_is_there, started)) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert len(started) >= 2  # what grades, and what it forks from
    assert not [each for each in started if _is_there(each)]


def _descendants(process: int) -> list[int]:
    try:
        found = [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return found + [each for child in found for each in _descendants(child)]


def _is_there(process: int) -> bool:
    try:
        # A process that has ended and that nobody has asked for how is no process any more.
        return not re.search(r"^State:\s+Z", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    except OSError:
        return False


def test_check_says_that_there_is_no_notebook():
    with pytest.raises(UsageError) as refused:
        grader.check("linear")

    assert str(refused.value) == (
        "check grades what a notebook has run, and this is none; from grader import grade, then grade(FOLDER)"
    )
