"""The report in a notebook, and the notebook that students start from."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from grader import grade
from grader.authoring.template import check_notebook, make_notebook
from grader.course import Course
from grader.report.html import render_html

RIGHT = "def linear_backward(dout, x, W):\n    return dout @ W.T, x.T @ dout, dout.sum(0)\n"


def test_a_report_shows_itself_in_a_frame_that_may_do_nothing_below_a_line_that_says_the_score(tmp_path: Path):
    (tmp_path / "linear.py").write_text(RIGHT)

    report = grade(tmp_path, only="linear_backward")
    shown = report._repr_mimebundle_()

    line = "5 of 5 points. Everything is right. There is nothing left to do."
    assert shown["text/plain"] == line
    assert shown["text/html"].startswith(f'<p>{line}</p>\n<iframe sandbox title="The report" srcdoc="')
    page = html.unescape(re.search(r'srcdoc="([^"]*)"', shown["text/html"])[1])
    assert page.replace('<base href="about:srcdoc">', "") == render_html(report)
    assert repr(report) == f"<NotebookReport of {tmp_path.name}: 5 of 5 points>"


def _cells(course: Course) -> list[dict]:
    templates = {
        f"{rubric.name}.py": (course.folder / "student_template" / f"{rubric.name}.py").read_text()
        for rubric in course.rubrics
        if not rubric.optional
    }
    content = json.loads(make_notebook(course, templates))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    return content["cells"]


def test_every_template_is_a_cell_that_writes_it_with_a_cell_that_grades_it(course: Course):
    sources = ["".join(cell["source"]) for cell in _cells(course) if cell["cell_type"] == "code"]

    for rubric in (each for each in course.rubrics if not each.optional):
        template = (course.folder / "student_template" / f"{rubric.name}.py").read_text()
        place = sources.index(f"%%writefile {rubric.name}.py\n{template.rstrip()}")
        assert sources[place + 1] == f'import grader\n\ngrader.check("{rubric.name}")'


def test_cells_have_ids_of_their_own_that_the_format_allows(course: Course):
    ids = [cell["id"] for cell in _cells(course)]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9-]{1,64}", each) for each in ids)


def test_the_notebook_in_the_course_is_the_one_that_is_made(course: Course):
    assert list(check_notebook(course)) == []


def test_start_copies_the_notebook(run_grade, tmp_path: Path):
    run_grade("start", "work")

    assert (tmp_path / "work" / "backprop.ipynb").is_file()
