"""A batch's grades in the formats of other systems, checked against those systems' own rules for their fields."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from grader.batch.entry import PLAIN
from grader.batch.entry import person as person_of
from grader.batch.export import FORMATS, export
from grader.batch.export.identity import Line, match_people, names_of
from grader.batch.gradebook import Row, defuse
from grader.batch.history import record_of
from grader.batch.store import Record, Store
from grader.errors import UsageError

COURSE = "A small course"
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Essay (41),A small course (42),Final Score\r\n"
    "    Points Possible,,,,,10,10,(read only)\r\n"
    '"Lovelace, Ada",101,a1,ada,"S1, S2",7,,"=1+1"\r\n'
    '"Ñandú, José",102,a2,jose,S1,7,EX,\r\n'
    '"Gone, Eve",103,a3,eve,S1,,5,\r\n'
    '"Student, Test",,,,S1,,,\r\n'
)
MOODLE = (
    "Kennung,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Höchste Bewertung,Bewertung kann geändert werden,"
    "Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung),Feedback als Kommentar\n"
    'Teilnehmer/in 101,Ada Lovelace,ada@example.edu,"Abgegeben, bewertet",,"10,00",Ja,'
    '"Montag, 2. März",-,"sagt ""ja"""\n'
    'Teilnehmer/in 102,José Ñandú,jose@example.edu,Keine Abgabe,,"10,00",Ja,-,-,\n'
)


def exercise(function: str, score: float | None, **more: object) -> dict[str, object]:
    gradient = {"name": "dx", "verdict": "wrong_values", "score": score, "max_score": 5.0}
    diagnosis = {"id": "sign", "message": "The sign is wrong.", "certainty": "certain"}
    said = {"outcome": "returned", "message": None, "line": None, "printed": None, "seconds": 0.01, "flags": []}
    return {
        "function": function,
        "score": score,
        "max_score": 5.0,
        **said,
        "gradients": [{**gradient, "diagnosis": diagnosis}],
        **more,
    }


def result(name: str, scores: tuple[float | None, float | None], **more: object) -> dict[str, object]:
    known = [score for score in scores if score is not None]
    total = sum(known) if len(known) == 2 else None
    parts = [
        {
            "name": part,
            "title": part,
            "score": score,
            "max_score": 5.0,
            "exercises": [exercise(f"{part}_backward", score, **more)],
        }
        for part, score in zip(("linear", "dropout"), scores, strict=True)
    ]
    head = {"format": 1, "course": COURSE, "submission": name, "seed": 7, "grader": "0.1.0", "seconds": 0.5}
    return {**head, "score": total, "max_score": 10.0, "submitted_at": None, "adjustments": [], "assignments": parts}


def person(name: str, id: str, email: str = "") -> dict[str, str]:
    return {"name": name, "id": id, "email": email}


@pytest.fixture
def batch(tmp_path) -> Path:
    """Results of three submissions, one without a score, as a download from Canvas or Moodle gives them."""
    return make_batch(tmp_path / "out", "Canvas")


def make_batch(out: Path, system: str, **more: object) -> Path:
    store = Store(out)
    store.create()
    people = {
        "ada": [person("Ada Lovelace" if system == "Moodle" else "lovelaceada", "101")],
        "jose": [person({"Canvas": "andjos", "Moodle": "José Ñandú"}.get(system, "Kurt Gödel"), "102")],
        "zoe": [person("zoe", "109")],
    }
    labels = {
        "Gradescope": "{}{}",
        "Canvas": "{}_LATE_{}_2001",
        "Moodle": "{}_{}_assignsubmission_file",
    }
    entries = [
        {
            "submission": name,
            "name": name,
            "file": name,
            "people": of,
            "label": labels[system].format(of[0]["name"], of[0]["id"]),
            "submitted_at": None,
            "late": True,
            "attempt": None,
        }
        for name, of in people.items()
    ]
    head = {"format": 1, "seed": 7, "course": COURSE, "assignments": ["linear", "dropout"], "system": system}
    store.write(out / "batch.json", json.dumps({**head, "entries": entries}))
    for name, scores in (("ada", (5.0, 4.5)), ("jose", (5.0, 0.0))):
        score = sum(scores)
        store.keep(name, Record({}, score), json.dumps(result(name, scores, **more)), f"<html>{name}</html>")
    store.keep("zoe", Record({}, None, "broken.zip could not be read"), None, None)
    return out


def table(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def test_a_canvas_sheet_has_the_columns_that_its_importer_asks_for(batch):
    head, possible, *lines = table(export(batch, "canvas").written[0])
    assert "Student" in head[0]
    assert "ID" in head[1]
    assert head.index("Section") == len(head) - 2 > 2
    assert possible[0] == "    Points Possible"
    assert [(line[1], line[-1]) for line in lines] == [("101", "9.50"), ("102", "5.00"), ("109", "")]


def test_filling_a_canvas_sheet_changes_one_cell_of_a_line_and_no_other_byte(batch, tmp_path):
    sheet = tmp_path / "gradebook.csv"
    sheet.write_bytes(b"\xef\xbb\xbf" + CANVAS.encode())
    done = export(batch, "canvas", into=sheet)
    expected = CANVAS.replace('"S1, S2",7,,', '"S1, S2",7,9.50,')
    assert sheet.read_bytes() == b"\xef\xbb\xbf" + expected.encode()
    assert any("jose is excused" in note for note in done.notes)
    assert any("1 not in the sheet: zoe" in note for note in done.notes)


def test_a_student_who_stands_in_the_sheet_twice_is_filled_in_nowhere(batch, tmp_path):
    sheet = tmp_path / "gradebook.csv"
    line = '"Lovelace, Ada",101,a1,ada,"S1, S2",7,,"=1+1"\r\n'
    sheet.write_text(CANVAS.replace(line, line * 2), newline="")
    done = export(batch, "canvas", into=sheet)
    assert "9.50" not in sheet.read_text()
    assert any("ada stands in the sheet more than once" in note for note in done.notes)


def test_the_column_to_fill_can_be_named(batch, tmp_path):
    sheet = tmp_path / "gradebook.csv"
    sheet.write_text(CANVAS.replace("A small course", "Homework 3"), newline="")
    with pytest.raises(
        UsageError, match=r"Give --column TITLE; the sheet's assignments: Essay \(41\), Homework 3 \(42\)"
    ):
        export(batch, "canvas", into=sheet)
    export(batch, "canvas", into=sheet, column="Homework 3")
    assert ',7,9.50,"=1+1"' in sheet.read_text()


def test_a_localised_moodle_sheet_is_filled_by_position(tmp_path):
    sheet = tmp_path / "bewertungen.csv"
    sheet.write_text(MOODLE, encoding="utf-8")
    export(make_batch(tmp_path / "out", "Moodle"), "moodle", into=sheet)
    expected = MOODLE.replace('bewertet",,', 'bewertet","9,50",').replace("Keine Abgabe,,", 'Keine Abgabe,"5,00",')
    # Where somebody has written a comment it stays.
    expected = expected.removesuffix("\n") + "5 of 10 points. To look at: dropout_backward.\n"
    assert sheet.read_text(encoding="utf-8") == expected


def test_a_moodle_sheet_has_the_columns_that_its_importer_asks_for(tmp_path):
    head, first, *_ = table(export(make_batch(tmp_path / "out", "Moodle"), "moodle").written[0])
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(head)
    assert (first[0], first[head.index("Grade")], first[head.index("Maximum Grade")]) == (
        "Participant 101",
        "9.50",
        "10.00",
    )


def test_the_sheet_is_kept_as_it_was_and_with_write_it_is_not_touched(batch, tmp_path):
    sheet = tmp_path / "gradebook.csv"
    sheet.write_bytes(CANVAS.encode())
    done = export(batch, "canvas", into=sheet, write=tmp_path / "filled")
    assert sheet.read_bytes() == CANVAS.encode()
    assert done.written[0] == tmp_path / "filled" / "gradebook.csv"
    assert b",9.50," in done.written[0].read_bytes()
    export(batch, "canvas", into=sheet)
    assert (tmp_path / "gradebook.original.csv").read_bytes() == CANVAS.encode()
    sheet.write_bytes(CANVAS.encode() + b'"New, Fay",104,a4,fay,S1,,,\r\n')
    export(batch, "canvas", into=sheet)
    assert (tmp_path / "gradebook.original.csv").read_bytes() == CANVAS.encode()
    assert b"New, Fay" in (tmp_path / "gradebook.original-1.csv").read_bytes()
    with pytest.raises(UsageError, match="is the sheet itself; give another place, or leave --write out"):
        export(batch, "canvas", into=sheet, write=sheet)


def test_a_grade_that_moodle_says_cannot_be_changed_is_left(tmp_path):
    sheet = tmp_path / "bewertungen.csv"
    sheet.write_text(MOODLE.replace('"10,00",Ja,-,-,', '"10,00",Nein,-,-,'), encoding="utf-8")
    done = export(make_batch(tmp_path / "out", "Moodle"), "moodle", into=sheet)
    assert "Keine Abgabe,," in sheet.read_text(encoding="utf-8")
    assert "line 3: Moodle says that the grade of jose cannot be changed; left as it is" in done.notes


def test_a_number_of_one_system_is_never_taken_for_anothers(tmp_path):
    sheet = tmp_path / "gradebook.csv"
    sheet.write_bytes(CANVAS.encode())
    # 101 and 102 are numbers of Gradescope's here. One of them is of somebody whom Canvas knows by name.
    done = export(make_batch(tmp_path / "out", "Gradescope"), "canvas", into=sheet)
    assert sheet.read_bytes() == CANVAS.replace('"S1, S2",7,,', '"S1, S2",7,9.50,').encode()
    assert "1 matched by name: ada (line 3)" in done.notes
    assert "2 not in the sheet: jose, zoe" in done.notes
    fresh = table(export(tmp_path / "out", "canvas").written[0])
    assert not {"101", "102"} & {cell for line in fresh for cell in line}
    assert "Participant 101" not in export(tmp_path / "out", "moodle").written[0].read_text()


def line(**said: object) -> Line:
    return Line(**{"names": names_of(str(said.pop("name", ""))), **said})


def row(submission: str, system: str, **said: str) -> Row:
    return Row(submission, submission, (person_of(**said),), "", None, None, None, None, None, system)


@pytest.mark.parametrize(
    ("rows", "lines", "found", "said"),
    [
        (
            [row("a", "Canvas", name="lovelaceada", id="7")],
            [line(number="7", name="Lovelace, Ada"), line(number="8", name="Lovelace, Ada")],
            {0: "a"},
            "1 matched by Canvas's own number",
        ),
        (
            [row("a", "Gradescope", name="A. L.", id="8", email="Ada@X.edu")],
            [line(number="7", emails=frozenset({"ada@x.edu"})), line(number="8", name="Roe, Bob")],
            {0: "a"},
            "1 matched by e-mail",
        ),
        (
            [row("a", "Moodle", name="Ada María Lovelace", id="8")],
            [line(number="7", name="Lovelace, Ada María"), line(number="8", name="Roe, Bob")],
            {0: "a"},
            "1 matched by name: a (line 1)",
        ),
        (
            [row("a", "Moodle", name="Jane Doe", id="1")],
            [line(number="7", name="Doe, Jane"), line(number="8", name="Doe, Jane")],
            {},
            "a stands in the sheet more than once; none of the lines was filled in",
        ),
        (
            [row("a", "Moodle", name="Jane Doe", id="1"), row("b", "Moodle", name="Jane Doe", id="2")],
            [line(number="7", name="Doe, Jane")],
            {},
            "b: another submission has the same name as line 1; it was not filled in",
        ),
        ([row("a", "GitHub Classroom", id="ada")], [line(login="ada")], {}, "1 not in the sheet: a"),
        ([row("a", PLAIN, id="ada")], [line(login="ada")], {0: "a"}, "1 matched by name: a (line 1)"),
        ([row("a", PLAIN, id="7")], [line(number="7")], {}, "1 not in the sheet: a"),
        (
            [row("a", "Canvas", id="7"), row("b", "Canvas", id="7")],
            [line(number="7")],
            {},
            "line 1: 2 submissions are of this student; none was filled in",
        ),
    ],
)  # fmt: skip
def test_a_line_is_found_by_number_then_by_e_mail_then_by_a_name_of_nobody_else(rows, lines, found, said):
    matched, notes = match_people(rows, dict(enumerate(lines)), "Canvas")
    assert {number: each.submission for number, each in matched.items()} == found
    assert said in notes


def test_the_log_of_a_grade_says_each_time_what_changed_and_by_whom(batch):
    store = Store(batch)
    key = {
        "content": {"linear.py": "1"},
        "course": {},
        "selection": [],
        "seed": 7,
        "grader": "g",
        "rules": 1,
        "adjustments": {},
    }
    first = record_of("ada", {**key, "submitted_at": ""}, result("ada", (5.0, 4.0)), None, None)
    adjusted = {**key, "submitted_at": "", "seed": 8, "adjustments": {"dropout_backward": [5.0, "argued", "Ms T"]}}
    made = {"function": "dropout_backward", "graded": 4.0, "points": 5.0, "reason": "argued", "by": "Ms T"}
    second = record_of("ada", adjusted, {**result("ada", (5.0, 5.0)), "adjustments": [made]}, None, first)
    store.keep("ada", second, json.dumps(result("ada", (5.0, 5.0))), "")
    head, one, two, three = table(export(batch, "log").written[0])
    assert [one[head.index(name)] for name in ("before", "after", "why", "seed")] == [
        "",
        "9",
        "graded for the first time",
        "7",
    ]
    assert [two[head.index(name)] for name in ("before", "after", "why", "by")] == [
        "9",
        "10",
        "another seed (8, before 7); dropout_backward set to 5 by hand",
        "Ms T",
    ]
    assert [three[head.index(name)] for name in ("function", "found", "points", "reason", "adjusted_by")] == [
        "dropout_backward",
        "4",
        "5",
        "argued",
        "Ms T",
    ]


@pytest.mark.parametrize("to", ["canvas", "moodle"])
def test_a_sheet_of_something_else_is_refused(batch, tmp_path, to):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("a,b,c,d\n1,2,3,4\nx,y,z,w\n")
    with pytest.raises(UsageError, match="this is not a"):
        export(batch, to, into=sheet)


def test_the_feedback_zip_names_its_files_as_canvas_reads_them(batch):
    with zipfile.ZipFile(export(batch, "canvas").written[1]) as archive:
        names = archive.namelist()
    # The importer splits at underscores: of the parts that are numbers, the first is the user, the second the upload.
    numbers = [[part for part in name.split("_") if part.isdecimal()][:2] for name in names]
    assert numbers == [["101", "2001"], ["102", "2001"]]
    assert all(name.endswith(".html") for name in names)


def test_the_feedback_zip_names_its_folders_as_moodle_reads_them(tmp_path):
    with zipfile.ZipFile(export(make_batch(tmp_path / "out", "Moodle"), "moodle").written[1]) as archive:
        parts = [name.split("/")[0].split("_", 4) for name in archive.namelist()]
        assert archive.read(archive.namelist()[0]) == b"<html>ada</html>"
    assert [part[1:4] for part in parts] == [[number, "assignsubmission", "file"] for number in ("101", "102")]


def test_a_gradescope_result_keeps_to_its_schema(batch):
    found = (
        json.loads((batch / "export" / "gradescope" / "ada" / "results.json").read_text())
        if export(batch, "gradescope")
        else {}
    )
    assert found["score"] == 9.5
    assert found["visibility"] in ("hidden", "after_due_date", "after_published", "visible")
    for test in found["tests"]:
        assert test["status"] in ("passed", "failed")
        assert isinstance(test["number"], str)
        assert test["visibility"] == "visible"  # one hidden test hides the total from the student
    assert sum(test["score"] for test in found["tests"]) == found["score"]
    assert "dx: wrong values: The sign is wrong." in found["tests"][1]["output"]


def test_a_submission_without_a_score_gets_no_file_and_is_named(batch):
    done = export(batch, "gradescope")
    assert len(done.written) == 2
    assert done.notes == ("1 without a score, so without a file: zoe",)


def test_a_github_result_keeps_to_its_schema(tmp_path):
    out = make_batch(tmp_path / "out", "Canvas", outcome="raised", message="x" * 2_000, line=3)
    export(out, "github")
    found = json.loads((out / "export" / "github" / "jose.json").read_text())
    assert (found["version"], found["status"], found["max_score"]) == (3, "fail", 10.0)
    assert [test["status"] for test in found["tests"]] == ["pass", "fail"]
    assert all(len(test["output"]) <= 500 for test in found["tests"])
    assert found["tests"][1]["line_no"] == 3


def test_junit_counts_its_tests_and_is_valid_xml_whatever_was_printed(tmp_path):
    out = make_batch(tmp_path / "out", "Canvas", printed="\x00\x1b[31m]]><x> \ufffe \ud800", message="a\x01b")
    root = ElementTree.fromstring(export(out, "junit").written[0].read_bytes())
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["5", "2", "1"]
    assert [suite.get("name") for suite in root] == ["ada", "jose", "zoe"]
    assert {each.get("name"): each.get("value") for each in root.iter("property")}["score"] == "5.0"
    for suite in root:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))


def test_the_table_has_a_line_for_each_function(batch):
    head, *lines = table(export(batch, "csv").written[0])
    assert [(line[head.index("submission")], line[head.index("score")]) for line in lines] == [
        ("ada", "5"),
        ("ada", "4.5"),
        ("jose", "5"),
        ("jose", "0"),
        ("zoe", ""),
    ]


@pytest.mark.parametrize("to", ["gradescope", "github", "junit", "csv"])
def test_one_result_can_be_exported_where_another_systems_runner_wants_it(tmp_path, to):
    (tmp_path / "result.json").write_text(json.dumps(result("ada", (5.0, 5.0))))
    done = export(tmp_path / "result.json", to, write=tmp_path / "there" / "results.json")
    assert done.written == (tmp_path / "there" / "results.json",)
    assert done.written[0].stat().st_size


def test_a_result_that_was_not_judged_is_never_exported_as_a_zero(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(result("ada", (5.0, None))))
    with pytest.raises(UsageError, match="could not be judged"):
        export(tmp_path / "result.json", "gradescope")


@pytest.mark.parametrize("to", FORMATS)
def test_what_is_no_batch_cannot_be_exported(tmp_path, to):
    with pytest.raises(UsageError, match="neither the --out of a batch nor a result"):
        export(tmp_path, to)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "\n=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(cell):
    assert not re.match(r"\s*[=+\-@]", str(defuse(cell)))


@pytest.mark.parametrize("cell", ["ada", "", None, 1.5, "-", "a=b"])
def test_an_ordinary_cell_is_left_alone(cell):
    assert str(defuse(cell)) == str(cell)


@pytest.mark.parametrize("cell", ["ada;=1+1", "ada; @SUM(A1)", "ada;\uff1d1", "\uff1d1+1", "\u3000=1", "ada;\t-1"])
def test_a_cell_that_another_spreadsheet_would_run_is_defused(cell):
    assert not re.search("(^|[;\t])\\s*[-=+@\uff1d]", str(defuse(cell)))
