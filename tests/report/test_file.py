"""A file that is written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from grader.report.file import write_file

FULL = """
import resource, sys
from pathlib import Path
from grader.report.file import write_file
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_file(Path(sys.argv[1]), "x" * 100_000)
except OSError as error:
    print(type(error).__name__)
"""


def test_what_was_there_stays_where_the_disk_is_full(tmp_path: Path):
    pytest.importorskip("resource", reason="this system has no limit that stands for a full disk")
    (tmp_path / "report.html").write_text("the last one")

    finished = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path / "report.html"], capture_output=True, text=True, check=False
    )

    assert (finished.stdout, finished.stderr) == ("OSError\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "the last one"


def test_it_keeps_the_mode_and_leads_where_a_link_leads(tmp_path: Path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "there").chmod(0o640)
    (tmp_path / "link").symlink_to(tmp_path / "there")

    write_file(tmp_path / "link", "new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o640


def test_a_new_one_has_the_mode_of_any_new_file(tmp_path: Path):
    (tmp_path / "any").write_text("")
    write_file(tmp_path / "new", "x")

    assert (tmp_path / "new").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipe with a name")
def test_what_is_no_ordinary_file_is_written_itself(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True)

    write_file(tmp_path / "pipe", "through")

    assert reader.communicate(timeout=30)[0] == "through"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
