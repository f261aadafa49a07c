"""README.md and docs/students.md to the letter: their commands are run, and they print what is said."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from console import commands, is_printed, pieces, run

ROOT = Path(__file__).resolve().parents[1]
STUDENTS = (ROOT / "docs" / "students.md").read_text(encoding="utf-8")
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print as on a terminal of 80 columns that knows no colour."""
    for name, value in {"COLUMNS": "80", "TERM": "dumb", "TTY_COMPATIBLE": "1"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_the_readme_shows_what_grade_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(ROOT / "tests" / "submissions" / "half_finished", tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    (piece,) = (each for each in pieces((ROOT / "README.md").read_text(encoding="utf-8")) if each["console"])

    for command, printed in commands(piece["console"]):
        found = run(command, monkeypatch)

        assert is_printed(printed, found), found


@pytest.mark.slow
def test_the_text_for_students_is_true_from_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for piece in pieces(STUDENTS):
        if piece["path"]:
            Path(piece["path"]).write_text(piece["content"], encoding="utf-8")
            continue
        for command, printed in commands(piece["console"]):
            found = run(command, monkeypatch)

            assert is_printed(printed, found), (command, found)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_what_a_text_links_to_is_there(path: Path):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))

    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []
