"""A class is graded into a folder of results: what is in it, what is kept, and what is done again."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from forked import grade

from grader.batch.worker import require_isolation
from grader.errors import SandboxError
from grader.rules import CHANGES, OLDEST, RULES

ROOT = Path(__file__).resolve().parents[2]
WRONG = "def linear_backward(dout, x, W):\n    return x, x.T @ dout, dout.sum(0)\n"


@dataclass(frozen=True)
class Class:
    """A folder of submissions, the course, and the results of one batch over them."""

    folder: Path
    course: Path
    out: Path
    printed: str
    exit_code: int


def rows_of(out: Path, file: str = "grades.csv") -> dict[str, dict[str, str]]:
    text = (out / file).read_text(encoding="utf-8-sig")
    return {row["submission"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def result_of(out: Path, name: str) -> dict[str, Any]:
    return json.loads((out / "results" / f"{name}.json").read_text())


def make_class(folder: Path, course: Path, *names: str) -> Path:
    for name in names:
        shutil.copytree(course / "solutions", folder / name)
    return folder


@pytest.fixture(scope="module")
def graded(tmp_path_factory, small_course_folder) -> Class:
    """A class of many kinds, graded once, with an adjustment."""
    root = tmp_path_factory.mktemp("class")
    folder = make_class(
        root / "submissions", small_course_folder, "ada", "bob", "=1+1", "José", "<b>mallory", "x" * 200
    )
    (folder / "bob" / "linear.py").write_text(WRONG)
    (folder / "empty").mkdir()
    (folder / "broken.zip").write_bytes(b"PK\3\4 not really")
    solution = (small_course_folder / "solutions" / "linear.py").read_text()
    cells = [{"cell_type": "code", "source": solution, "outputs": [{"text": "PASS 5/5"}]}]
    (folder / "cyd.ipynb").write_text(json.dumps({"cells": cells}))
    with zipfile.ZipFile(folder / "dan.zip", "w") as archive:
        archive.writestr("hw/linear.py", solution)
    out = root / "out"
    out.mkdir()
    (folder / os.fsdecode(b"Ren\xe9e")).mkdir()
    (folder / os.fsdecode(b"Ren\xe9e") / "linear.py").write_text(solution)
    for name in ("on paper.pdf", "lost.pdf"):
        (folder / name).write_bytes(b"%PDF-1.7")
    lines = ["bob,linear_backward,4.5,<i>argued well</i>,Ms T", "on paper.pdf,linear_backward,3,right on paper,Ms T"]
    (out / "adjustments.csv").write_text("\n".join(["submission,function,points,reason,by", *lines, ""]))
    done = grade("batch", folder, "--out", out, "--course", small_course_folder, "--seed", 7, "--names")
    return Class(folder, small_course_folder, out, done.stdout + done.stderr, done.returncode)


def test_every_submission_has_a_row_with_its_score(graded):
    rows = rows_of(graded.out)
    assert {name: rows[name]["score"] for name in ("ada", "José", "cyd.ipynb", "dan.zip")} == {
        "ada": "10",
        "José": "10",
        "cyd.ipynb": "5",
        "dan.zip": "5",
    }
    assert len(rows) == 13


def test_what_could_not_be_read_has_a_row_that_says_so_and_exit_code_2(graded):
    rows = rows_of(graded.out)
    assert rows["broken.zip"]["problem"].startswith("broken.zip could not be read: the archive is broken")
    assert rows["empty"]["problem"] == "no Python file, notebook or archive in it"
    assert rows["empty"]["score"] == rows["broken.zip"]["score"] == ""
    assert graded.exit_code == 2


def test_the_class_report_draws_where_it_goes_wrong(graded):
    (drawn,) = re.findall(
        r'aria-label="The graph of linear_backward.*?</svg>', (graded.out / "index.html").read_text(), re.DOTALL
    )
    assert "out" in drawn
    assert "✗" in drawn


def test_the_maximum_is_one_number_for_the_class(graded):
    assert {row["max_score"] for row in rows_of(graded.out).values()} == {"10"}


def test_a_name_that_is_no_text_costs_nobody_the_gradebook(graded):
    assert rows_of(graded.out)["Renée"]["score"] == "5"


def test_a_person_gives_points_for_what_could_not_be_graded(graded):
    rows = rows_of(graded.out)
    on_paper, lost = rows["on paper.pdf"], rows["lost.pdf"]
    assert (on_paper["score"], on_paper["adjusted"], lost["score"]) == ("3", "linear_backward", "")
    for name, row in (("on paper.pdf", on_paper), ("lost.pdf", lost)):
        assert row["problem"] == f"no Python file, notebook or archive in it, only {name} (a PDF)"
    (report,) = (graded.out / "reports").glob("on_paper.pdf*")
    assert "right on paper" in report.read_text()


def test_the_gradebook_begins_with_a_byte_order_mark(graded):
    assert (graded.out / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbfsubmission,score,max_score,")


def test_a_name_that_a_spreadsheet_would_run_is_defused(graded):
    assert "'=1+1" in rows_of(graded.out)


def test_a_result_is_the_json_of_one_submission(graded):
    result = result_of(graded.out, "ada")
    assert (result["submission"], result["seed"], result["score"], result["adjustments"]) == ("ada", 7, 10, [])


def test_a_name_that_is_no_file_name_has_its_files_all_the_same(graded):
    entries = json.loads((graded.out / "batch.json").read_text())["entries"]
    files = {entry["name"]: entry["file"] for entry in entries}
    assert files["ada"] == "ada"
    assert all((graded.out / "reports" / f"{files[name]}.html").is_file() for name in ("<b>mallory", "x" * 200, "José"))


def test_an_override_by_hand_is_in_the_score_the_json_and_the_report(graded):
    result = result_of(graded.out, "bob")
    (adjustment,) = result["adjustments"]
    assert (adjustment["function"], adjustment["points"], adjustment["by"]) == ("linear_backward", 4.5, "Ms T")
    assert adjustment["graded"] == adjustment["graded_when_made"] == 3.5
    assert result["score"] == 9.5
    assert rows_of(graded.out)["bob"]["adjusted"] == "linear_backward"
    assert "&lt;i&gt;argued well" in (graded.out / "reports" / "bob.html").read_text()


def test_the_seed_and_the_layout_are_said_before_grading(graded):
    assert graded.printed.startswith("13 submissions, laid out as a folder of submissions\nseed 7\n")


def test_the_class_report_escapes_names(graded):
    page = (graded.out / "index.html").read_text()
    assert "<b>mallory" not in page
    assert "&lt;b&gt;mallory" in page


def test_the_class_report_has_no_script_and_a_policy(graded):
    page = (graded.out / "index.html").read_text()
    assert "<script" not in page
    assert "default-src &#39;none&#39;" in page
    assert "style=" not in page.replace("style-src", "")


@pytest.mark.slow
def test_resume_grades_only_what_changed_and_writes_what_that_changed(graded, tmp_path):
    folder = shutil.copytree(graded.folder, tmp_path / "submissions")
    out = shutil.copytree(graded.out, tmp_path / "out")
    before = result_of(out, "dan.zip")
    (folder / "ada" / "linear.py").write_text(WRONG)

    done = grade("batch", folder, "--out", out, "--course", graded.course)

    assert "ada: 8.5 of 10" in done.stdout
    assert "dan.zip: 5 (kept)" in done.stdout
    assert result_of(out, "dan.zip") == before
    changes = rows_of(out, "changes.csv")
    assert {name: list(row.values())[2:] for name, row in changes.items()} == {
        "ada": ["10", "8.5", "10", "the submission changed (linear.py)", ""]
    }
    assert result_of(out, "ada")["seed"] == 7


@pytest.mark.slow
def test_without_names_the_class_report_has_none(graded, tmp_path):
    out = shutil.copytree(graded.out, tmp_path / "out")
    grade("batch", graded.folder, "--out", out, "--course", graded.course)
    page = (out / "index.html").read_text()
    assert not any(name in page for name in ("ada", "José", "mallory", "reports/"))


@pytest.mark.slow
def test_a_regrade_warns_where_the_verdict_under_an_override_changed(graded, tmp_path):
    folder = shutil.copytree(graded.folder, tmp_path / "submissions")
    out = shutil.copytree(graded.out, tmp_path / "out")
    shutil.copy(graded.course / "solutions" / "linear.py", folder / "bob" / "linear.py")

    done = grade("batch", folder, "--out", out, "--course", graded.course)

    assert "bob: linear_backward was graded 3.5 when it was adjusted by hand, and is 5 now" in done.stdout
    assert result_of(out, "bob")["score"] == 9.5
    assert result_of(out, "bob")["adjustments"][0]["graded_when_made"] == 3.5


@pytest.mark.slow
def test_an_adjustment_that_makes_no_sense_is_refused_with_its_line(graded, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "adjustments.csv").write_text("submission,function,points\nbob,linear_backward,6\nbob,linear,1\n")
    done = grade("batch", graded.folder, "--out", out, "--course", graded.course)
    assert done.returncode == 2
    assert "adjustments.csv:2: points '6': a number from 0 to 5, the points of linear_backward" in done.stderr
    assert "adjustments.csv:3: the course has no function 'linear'" in done.stderr


def test_a_dry_run_says_what_it_found_and_writes_nothing(graded, tmp_path):
    done = grade("batch", graded.folder, "--out", tmp_path / "out", "--course", graded.course, "--dry-run")
    assert "  dan.zip: dan, 1 file" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_shards_share_a_folder_and_grade_everything_once(graded, tmp_path):
    folder = make_class(tmp_path / "class", graded.course, *(f"s{number}" for number in range(5)))
    printed = [
        grade("batch", folder, "--out", tmp_path / "out", "--course", graded.course, "--shard", f"{part}/2").stdout
        for part in (1, 2)
    ]
    graded_in = [sorted(line.split(":")[0] for line in text.splitlines() if "of 10" in line) for text in printed]
    assert sorted(graded_in[0] + graded_in[1]) == [f"s{number}" for number in range(5)]
    assert all(row["score"] == "10" for row in rows_of(tmp_path / "out").values())


@pytest.mark.slow
def test_only_one_assignment_can_be_graded(graded, tmp_path):
    folder = make_class(tmp_path / "class", graded.course, "ada")
    done = grade("batch", folder, "--out", tmp_path / "out", "--course", graded.course, "--only", "linear")
    assert done.returncode == 0
    assert rows_of(tmp_path / "out")["ada"]["max_score"] == "5"


@pytest.mark.slow
def test_results_of_another_course_are_not_mixed_in(graded, tmp_path):
    out = shutil.copytree(graded.out, tmp_path / "out")
    done = grade("batch", graded.folder, "--out", out)
    assert done.returncode == 2
    assert "holds results of the course 'A small course'; give another --out" in done.stderr


@pytest.fixture
def older(graded, tmp_path) -> Class:
    """A class of one with results from before rules had a number."""
    folder = make_class(tmp_path / "class", graded.course, "ada")
    out = shutil.copytree(graded.out, tmp_path / "out")
    batch = json.loads((out / "batch.json").read_text())
    assert batch.pop("rules") == RULES
    (out / "batch.json").write_text(json.dumps(batch))
    record = json.loads((out / ".records" / "ada.json").read_text())
    del record["key"]["rules"]
    (out / ".records" / "ada.json").write_text(json.dumps(record))
    return Class(folder, graded.course, out, "", 0)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_results_by_older_rules_are_not_mixed_in_and_what_changed_is_said(older):
    before = contents(older.out)
    done = grade("batch", older.folder, "--out", older.out, "--course", older.course)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2 - len(CHANGES) :] == [
        f"grade: {older.out} holds marks given by rules 1, and now they are given by rules {RULES}",
        *(f"rules {number}: {said}" for number, said in CHANGES.items()),
        "Add --fresh to grade everything again, or give another --out and keep these",
    ]
    assert contents(older.out) == before


def test_results_by_newer_rules_are_not_mixed_in_either(older):
    batch = json.loads((older.out / "batch.json").read_text())
    (older.out / "batch.json").write_text(json.dumps({**batch, "rules": RULES + 1}))
    done = grade("batch", older.folder, "--out", older.out, "--course", older.course)
    assert done.returncode == 2
    assert "this grader is older than they are" in done.stderr


def answer_on_a_terminal(older: Class, answer: bytes) -> tuple[int, str]:
    """Resume a batch on a terminal, and answer what it asks."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "grader", "batch", older.folder, "--out", older.out, "--course", older.course]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as started:
        os.close(theirs)
        shown, is_answered = b"", False
        with contextlib.suppress(OSError):  # how a terminal ends
            while data := os.read(ours, 4096):
                shown += data
                if b"by the rules of now?" in shown and not is_answered:
                    os.write(ours, answer)
                    is_answered = True
    os.close(ours)
    return started.returncode, shown.decode()


def test_on_a_terminal_it_is_asked_and_no_leaves_everything_as_it_was(older):
    before = contents(older.out)
    exit_code, shown = answer_on_a_terminal(older, b"n\n")
    assert exit_code == 2
    assert CHANGES[2][:60] in shown
    assert "nothing was graded" in shown
    assert contents(older.out) == before


@pytest.mark.slow
def test_on_a_terminal_yes_grades_everything_again_and_the_reason_is_kept(older):
    exit_code, _ = answer_on_a_terminal(older, b"y\n")
    assert exit_code == 0
    assert json.loads((older.out / "batch.json").read_text())["rules"] == result_of(older.out, "ada")["rules"] == RULES
    assert rows_of(older.out, "changes.csv")["ada"]["why"] == f"marks are given by rules {RULES}, before 1"


def test_every_number_of_the_rules_says_what_it_changed():
    assert list(CHANGES) == list(range(OLDEST + 1, RULES + 1))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--out", "out"], "nowhere is not a folder of submissions"),
        (["class", "--out", "class/out"], "is inside the submissions"),
        (["class", "--out", "file"], "is a file; give a folder"),
        (["class", "--out", "file/out"], "cannot be written to"),
        (["nothing", "--out", "out"], "there is no submission here"),
        (["class", "--out", "out", "--shard", "3/2"], "--shard 3/2: write I/N"),
        (["class", "--out", "out", "--before", "soon"], "is not a time"),
        (["class", "--out", "out", "--executor", "slurm"], "it is local, or dask:HOST:PORT"),
        (["class", "--out", "out", "--executor", "dask:example.org:8786"], "only a scheduler on this machine"),
        (["class", "--out", "out", "--only", "lineer"], "did you mean linear?"),
    ],
)
def test_arguments_that_make_no_sense_are_one_line_and_exit_code_2(small_course_folder, tmp_path, arguments, said):
    make_class(tmp_path / "class", small_course_folder, "ada")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "file").write_text("")
    done = grade("batch", *arguments, "--course", small_course_folder, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_out_without_the_right_to_write_is_said(small_course_folder, tmp_path):
    make_class(tmp_path / "class", small_course_folder, "ada")
    # Where root may not write either.
    done = grade("batch", "class", "--out", "/proc/out", "--course", small_course_folder, cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written to" in done.stderr


def test_a_class_is_not_graded_where_the_sandbox_is_weak_unless_told_to():
    reasons = ["seccomp: libseccomp.so.2 is not installed", "namespaces: bubblewrap is not installed"]
    with pytest.raises(SandboxError) as caught:
        require_isolation(("rlimits",), reasons, allows_weak=False)
    first, why, advice = str(caught.value).splitlines()
    assert "proved: rlimits; missing: landlock, seccomp" in first
    assert why == "  seccomp: libseccomp.so.2 is not installed"
    assert "container" in advice
    assert "WSL" in advice
    assert "--allow-weak-isolation" in advice
    require_isolation(("rlimits",), reasons, allows_weak=True)
    require_isolation(("rlimits", "seccomp", "landlock"), reasons, allows_weak=False)


def test_the_batchs_own_process_loads_neither_torch_nor_numpy():
    program = (
        "import sys, grader.batch, grader.batch.export; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT)}, check=False).returncode == 0
