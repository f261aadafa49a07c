"""The layouts of the systems that collect work: what is in one folder, by the names that each of them gives."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection

from grader.batch.archives import is_archive
from grader.batch.entry import Claim, Entry, Person, files_of, person
from grader.batch.metadata import METADATA, read_metadata
from grader.batch.tree import File, Folder
from grader.submission import SUFFIXES
from grader.text import decode, one_line

_CANVAS = re.compile(
    r"(?P<label>(?P<name>.*?)(?P<late>_LATE)?_(?P<user>(?:(?<=anon_)|(?<=anon_LATE_))[A-Za-z0-9]+|\d+)"
    r"(?:_(?P<upload>\d+)(?=_))?)_(?P<file>(?(upload).+|(?:text|link)\.html))"
)
_MOODLE = re.compile(
    r"(?P<name>.*)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?P<end>_?)(?P<file>(?<=_).+)?"
)
_MOODLE_RETURNED = re.compile(r".*_\d+_assignfeedback_\w+")
_BLIND = re.compile(r"(?i)participante?|teilnehmer(/?in)?|deelnemer|partecipante|uczestnik|deltager|deltagare")
_BLACKBOARD = re.compile(
    r"(?P<student>.+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<form>\.txt))", re.DOTALL
)
_BLACKBOARD_NAME = re.compile(r"Name:(?P<name>.*)\((?P<id>[^()]+)\)\s*")
# With or without numbers, the month before the day or behind it, in any language, by a clock of 12 or of 24 hours.
_BRIGHTSPACE = re.compile(
    r"(?:(?P<id>\d+-\d+) - )?(?P<name>.+?) - (?P<time>(?:[^\W\d]+\.? \d{1,2}|\d{1,2}\.? (?:de )?[^\W\d]+\.?),? (?:de )?"
    r"\d{4},? \d{1,2}[:.h]?\d\d(?: ?[APap]\.?[Mm]\.?)?)(?: - (?P<file>.+))?"
)
_DATE = re.compile(
    r"(?i)(?P<month>[a-z]{3})[a-z]*\.? (?P<day>\d+),? (?P<year>\d{4}),? (?P<hour>\d{1,2})[:.h]?(?P<minute>\d\d)"
    r"(?: ?(?P<half>[ap])\.?m)?"
)
_DAY_FIRST = re.compile(r"^(\d{1,2})\.? ([^\W\d]+\.?)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SAKAI = re.compile(r"(?P<name>[^()]+?) ?\((?P<id>[^()]+)\)")
_ATTACHED, _RETURNED = "submission attachment(s)", "feedback attachment(s)"
_AUTOLAB = re.compile(r"(?P<email>[^@\s/]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)_(?P<version>\d+)_(?P<file>.+)")
_NBGRADER = re.compile(
    r"(?P<student>.+?)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d[ T_]\d\d[:._-]\d\d[:._-]\d\d)[^+]*(?:\+.+)?"
)
_RESUBMITTED = re.compile(r"-\d+(\.\w+)$")


def recognise(folder: Folder) -> tuple[list[Claim], list[str]]:
    """Return what each system makes of a folder, and what there is to say; what none has named is in no claim."""
    claims: list[Claim] = []
    notes: list[str] = []
    for system in SYSTEMS:
        taken = {name for claim in claims for name in claim.names}
        claim = system(folder, taken)
        if claim is not None:
            notes += claim.notes
            claims += [claim] if claim.entries else []
    return claims, notes


def read_gradescope(folder: Folder, taken: Collection[str]) -> Claim | None:  # noqa: ARG001 # asked first
    """A folder for each submission, and one YAML file that says whose they are."""
    listed, problem = read_metadata(folder)
    present = {name for name in listed if name in folder.folders or name in folder.files}
    if not present:
        return Claim("Gradescope", (), frozenset(), (problem,)) if problem is not None else None
    entries = []
    for name, said in listed.items():
        files, refused = files_of(folder.folders[name]) if name in folder.folders else ((), {})
        if name in folder.files:
            files = ((name, folder.files[name]),)
        entries.append(
            Entry(
                name=one_line(name, 200),
                people=tuple(
                    person(each.get(":name", ""), each.get(":sid", ""), each.get(":email", "")) for each in said.people
                ),
                files=files,
                refused=refused,
                label=name,
                system="Gradescope",
                submitted_at=one_line(said.created_at, 100) or None,
                attempt=said.attempts + 1 if said.attempts else None,
                problem=None if name in present else f"it is listed in {METADATA} and is not there",
            )
        )
    return Claim("Gradescope", tuple(entries), frozenset({*present, METADATA}))


def read_moodle(folder: Folder, taken: Collection[str]) -> Claim | None:
    """A folder `Name_id_assignsubmission_file` for each participant; all in one folder in the flat mode."""
    matches = _match(_MOODLE, folder, taken)
    # What was given back lies beside what was handed in, and is nobody's work.
    returned = _match(_MOODLE_RETURNED, folder, taken) if matches else {}
    found: dict[tuple[str, str], dict[str, re.Match[str]]] = defaultdict(dict)
    for name, match in matches.items():
        found[match["name"], match["id"]][name] = match
    entries = []
    for (name, number), uploads in found.items():
        files: list[tuple[str, File]] = []
        refused: dict[str, str] = {}
        for path, match in uploads.items():
            if match["kind"] == "onlinetext":
                continue
            if path in folder.folders:
                inner, missed = files_of(folder.folders[path])
                files += inner
                refused |= missed
            else:
                files.append((match["file"] or path, folder.files[path]))
        only_text = all(match["kind"] == "onlinetext" for match in uploads.values())
        # On the way back Moodle counts the parts between underscores, so that a name must have none; since 4.1 it
        # writes no underscore at the end of a folder's name, and before it did.
        ends = {match["end"] for path, match in uploads.items() if path in folder.folders}
        label = f"{name.replace('_', ' ')}_{number}_assignsubmission_file{'_' if ends == {'_'} else ''}"
        entries.append(
            Entry(
                f"{name}_{number}",
                (person("" if _BLIND.fullmatch(name) else name, number),),
                tuple(files),
                refused,
                "Moodle",
                label,
                problem="text typed into the page, and no file" if only_text else None,
            )
        )
    return Claim("Moodle", tuple(entries), frozenset({*matches, *returned})) if entries else None


def read_blackboard(folder: Folder, taken: Collection[str]) -> Claim | None:
    """Flat files `assignment_user_attempt_time_file`, and for each attempt a form that begins with the name."""
    matches = {name: match for name, match in _match(_BLACKBOARD, folder, taken).items() if name in folder.files}
    found: dict[tuple[str, str], dict[str, re.Match[str]]] = defaultdict(dict)
    for name, match in matches.items():
        found[match["student"], match["time"]][name] = match
    students = [student for student, _ in found]
    is_many = len(set(students)) > 1
    prefix = os.path.commonprefix(students) if is_many else ""  # noqa: RUF071 # letters in common, cut at the last underscore
    prefix = prefix[: prefix.rfind("_") + 1]
    entries = []
    for (student, time), uploads in found.items():
        form = next((name for name, match in uploads.items() if match["form"]), None)
        who = _person_of_form(folder.files[form]) if form is not None else None
        files = tuple((match["file"], folder.files[name]) for name, match in uploads.items() if match["file"])
        entries.append(
            Entry(
                f"{student}_attempt_{time}",
                (who or person("", student.removeprefix(prefix)),),
                files,
                system="Blackboard",
                label=f"{student}_attempt_{time}",
                submitted_at=f"{time[:10]}T{time[11:].replace('-', ':')}",
                problem="text typed into the page, and no file" if not files else None,
            )
        )
    return Claim("Blackboard", tuple(entries), frozenset(matches)) if entries else None


def read_brightspace(folder: Folder, taken: Collection[str]) -> Claim | None:
    """A folder `id-id - Name - time` for each submission, or flat files that begin so."""
    matches = _match(_BRIGHTSPACE, folder, taken)
    found: dict[tuple[str | None, str, str], dict[str, re.Match[str]]] = defaultdict(dict)
    for name, match in matches.items():
        found[match["id"], match["name"], match["time"]][name] = match
    entries = []
    for (number, name, time), uploads in found.items():
        files: list[tuple[str, File]] = []
        refused: dict[str, str] = {}
        for path, match in uploads.items():
            if path in folder.folders:
                inner, missed = files_of(folder.folders[path])
                files += inner
                refused |= missed
            else:
                files.append((match["file"] or path, folder.files[path]))
        who = f"{name} - {time}"
        # Of a name alone there may be two: without its numbers no attempt is taken for a later one of the same.
        own, handed_in = (person(name, number or ""),), _time_of(time) if number else None
        entries.append(Entry(who, own, tuple(files), refused, "Brightspace", who, submitted_at=handed_in))
    return Claim("Brightspace", tuple(entries), frozenset(matches)) if entries else None


def _time_of(written: str) -> str | None:
    """Return a time of Brightspace's as others write it, None if its month is in a language that is not known."""
    match = _DATE.fullmatch(_DAY_FIRST.sub(r"\2 \1", written.rstrip("."), count=1))
    if match is None or match["month"].lower() not in _MONTHS:
        return None
    hour = int(match["hour"]) % 12 + 12 * (match["half"].lower() == "p") if match["half"] else int(match["hour"])
    month = _MONTHS.index(match["month"].lower()) + 1
    return f"{match['year']}-{month:02}-{int(match['day']):02}T{hour:02}:{match['minute']}"


def read_sakai(folder: Folder, taken: Collection[str]) -> Claim | None:
    """A folder `Last, First(user)` for each student, with folders in it of what was handed in and given back."""
    matches = {name: match for name, match in _match(_SAKAI, folder, taken).items() if name in folder.folders}
    found = {name: match for name, match in matches.items() if _is_sakai(folder.folders[name])}
    entries = []
    for name, match in found.items():
        own = folder.folders[name]
        files, refused = files_of(own)
        attached = tuple(
            (path.partition("/")[2], file) for path, file in files if path.lower().startswith(f"{_ATTACHED}/")
        )
        # Its last moment is when something was handed in, in digits down to the millisecond.
        stamp, _ = own.files["timestamp.txt"].read(100) if "timestamp.txt" in own.files else (None, "")
        time = re.match(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", stamp or b"")
        year, *rest = [part.decode() for part in time.groups()] if time else [""]
        has_text = any(path.lower().endswith(("submissiontext.html", "submissiontext.txt")) for path in own.files)
        entries.append(
            Entry(
                name,
                (person(match["name"], match["id"]),),
                attached,
                {path: reason for path, reason in refused.items() if not path.lower().startswith(f"{_RETURNED}/")},
                system="Sakai",
                label=name,
                submitted_at="{}-{}-{}T{}:{}:{}".format(year, *rest) if year else None,
                problem="text typed into the page, and no file" if has_text and not attached and not refused else None,
            )
        )
    return Claim("Sakai", tuple(entries), frozenset(found)) if found else None


def _is_sakai(folder: Folder) -> bool:
    return any(name.lower() in (_ATTACHED, _RETURNED) for name in folder.folders) or "timestamp.txt" in folder.files


def read_autolab(folder: Folder, taken: Collection[str]) -> Claim | None:
    """Flat files `email_version_file`."""
    matches = {name: match for name, match in _match(_AUTOLAB, folder, taken).items() if name in folder.files}
    # Where files have other names, too, a student may have given one the name of somebody else.
    if len(matches) * 2 < len([name for name in (*folder.folders, *folder.files) if name not in taken]):
        return None
    found: dict[tuple[str, str], dict[str, re.Match[str]]] = defaultdict(dict)
    for name, match in matches.items():
        found[match["email"], match["version"]][name] = match
    entries = [
        Entry(
            f"{email}_{version}",
            (person(email=email),),
            tuple((match["file"], folder.files[name]) for name, match in uploads.items()),
            system="Autolab",
            label=f"{email}_{version}",
            attempt=int(version[:9]),
        )
        for (email, version), uploads in found.items()
    ]
    return Claim("Autolab", tuple(entries), frozenset(matches)) if entries else None


def read_nbgrader(folder: Folder, taken: Collection[str]) -> Claim | None:
    """A folder `student+assignment+time` for each submission, as they lie in the exchange."""
    matches = {name: match for name, match in _match(_NBGRADER, folder, taken).items() if name in folder.folders}
    entries = []
    for name, match in matches.items():
        files, refused = files_of(folder.folders[name])
        time = f"{match['time'][:10]}T{re.sub('[._-]', ':', match['time'][11:])}"
        own = (person(id=match["student"]),)
        entries.append(Entry(name, own, files, refused, "nbgrader", name, submitted_at=time))
    return Claim("nbgrader", tuple(entries), frozenset(matches)) if entries else None


def read_canvas(folder: Folder, taken: Collection[str]) -> Claim | None:
    """Flat files `name[_LATE]_user_upload_file`; those of one user are one submission."""
    matches = {name: match for name, match in _match(_CANVAS, folder, taken).items() if name in folder.files}
    left = [name for name in (*folder.folders, *folder.files) if name not in taken]
    if not matches or len(matches) * 2 < len(left):
        return None
    users: dict[str, dict[str, re.Match[str]]] = defaultdict(dict)
    for name, match in matches.items():
        users[match["user"]][name] = match
    entries = []
    for user, uploads in users.items():
        names = [match["file"] for match in uploads.values()]
        first = next(iter(uploads.values()))
        typed = next((kind for kind in ("text", "link") if names == [f"{kind}.html"]), None)
        problems = {"text": "text typed into the page, and no file", "link": "a link, and no file", None: None}
        entries.append(
            Entry(
                name=f"{first['name']}_{user}",
                people=(person("" if first["name"] == "anon" else first["name"], user),),
                files=tuple(zip(_as_named(names), map(folder.files.__getitem__, uploads), strict=True)),
                system="Canvas",
                label=first["label"],
                is_late=any(match["late"] for match in uploads.values()),
                problem=problems[typed],
            )
        )
    return Claim("Canvas", tuple(entries), frozenset(matches))


def read_classroom(folder: Folder, taken: Collection[str]) -> Claim | None:
    """A clone `assignment-user` for each student or team."""
    names = [name for name in folder.folders if name not in taken]
    prefix = os.path.commonprefix(names)  # noqa: RUF071 # letters in common, cut at the last hyphen
    prefix = prefix[: prefix.rfind("-") + 1] if len(names) > 1 else ""
    # The command that clones a class puts it into a folder of this name.
    own = folder.name.removesuffix("submissions") if folder.name.endswith("-submissions") else ""
    if own and names and all(name.startswith(own) for name in names):
        prefix = own
    clones = sum(folder.folders[name].is_repository for name in names)
    if not prefix or (prefix != own and clones * 2 < len(names)):
        return None
    entries = []
    for name in names:
        user = person("", name.removeprefix(prefix))
        entries.append(Entry(name, (user,), *files_of(folder.folders[name]), system="GitHub Classroom", label=name))
    return Claim("GitHub Classroom", tuple(entries), frozenset(names))


SYSTEMS: tuple[Callable[[Folder, Collection[str]], Claim | None], ...] = (
    read_gradescope,
    read_moodle,
    read_blackboard,
    read_brightspace,
    read_sakai,
    read_autolab,
    read_nbgrader,
    read_canvas,
    read_classroom,
)


def _match(pattern: re.Pattern[str], folder: Folder, taken: Collection[str]) -> dict[str, re.Match[str]]:
    names = [name for name in (*folder.folders, *sorted(folder.files)) if name not in taken]
    return {name: match for name in names if (match := pattern.fullmatch(name)) is not None}


def _person_of_form(form: File) -> Person | None:
    content, _ = form.read(1_000_000)
    first = decode(content[:1_000]).lstrip("\ufeff").partition("\n")[0] if content is not None else ""
    match = _BLACKBOARD_NAME.fullmatch(first)
    return person(match["name"].strip(), match["id"]) if match is not None else None


def _as_named(names: list[str]) -> list[str]:
    """Return names as the student had them: Canvas calls the second linear.py of a student linear-1.py."""
    before = [_RESUBMITTED.sub(r"\1", name) if name.endswith(SUFFIXES) or is_archive(name) else name for name in names]
    return [old if old == new or before.count(old) == 1 else new for old, new in zip(before, names, strict=True)]
