"""Whose a folder is, where no system says it: one person's work, or that of several; told by names and files.

Two people in one folder must never become one. So where both can be meant, it is several, and that is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from grader.batch.archives import is_archive
from grader.batch.contents import kind_of
from grader.batch.entry import Person, person
from grader.batch.tree import Folder, stem
from grader.course import Course
from grader.submission import SUFFIXES, max_file_bytes

# What people call the parts and the versions of their work, in the languages that we have seen. What is left of a
# name without these and without the words of the course is taken for a person's.
_WORDS = """
a1 abgabe abgaben aktuell alt and answer answers archive assignment assignments attempt aufgabe aufgaben
backprop backpropagation backup backups backward bak blatt bon build carpeta cartella class classes code colab
common con copia copie copies copy core cours course das data dataset datasets datei dateien de deliverable
deliverables der devoir devoirs die doc docs document documents done dossier download downloads draft drafts
eigene ejercicio ejercicios entrega entregas entwurf erste ex exercice exercices exercise exercises export extra
figures file files final finale fix fixed folder fonctions function functions funktionen gradient gradients
grads hand handin handins handout hausaufgabe hausaufgaben helper helpers hilfsfunktionen homework homeworks hw
images img implementation in init it kopie kopien la lab labs latest layers le les lesson lib libs loesung
loesungen lösung lösungen main makemore manual mein meine misc module modules my nb neu neue neuer neues new
newest notebook notebooks nouveau nueva nuevo nuova nuovo of old older ordner original out output outputs
package part parts pasta pictures plots practice pratica preprocess problem problems project projects projekt ps
pset py pycharm python question real repo repository rest resubmission review scratch script scripts sheet sol
solution solutions source src stuff submission submissions submit submitted tarea tareas task tasks temp
template templates test testing tests the tmp todo topic train training try tutorial ueb uebung unbenannt und
untitled updated upload uploads util utils v vector version versions vieux vs week weeks werk wk woche wochen
work working zip zuletzt übung übungen attempts deadline deliveries delivery entregado intento poging rendu rendus rev
revision tentative tentativo versie version versione versuch versuche
"""
_IMPERSONAL = frozenset(_WORDS.split())
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_GRADESCOPE = re.compile(r"submission_\d+")
_YEAR = re.compile(r"(19|20)\d\d")
_TIME = re.compile(r"(?<!\d)20\d\d[01]\d[0-3]\d[0-2]\d[0-5]\d[0-5]\d(?!\d)|(?<!\d)20\d\d-[01]\d-[0-3]\d(?!\d)")
_DEFINED = re.compile(rb"\bdef\s+(\w+)\s*\(")
# Within a line: over lines of nothing else, a pattern that goes on behind one takes hours.
_IMPORTED = re.compile(rb"^[ \t]*(?:from|import)[ \t]+\.?(\w+)", re.MULTILINE)
_EMAIL = re.compile(r"[\w.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_WITH_LOGIN = re.compile(r"(?P<name>[^()@_]+?) ?\([^()\s]*[^\W\d][^()\s]*\)( - .*\d.*)?")
_ILIAS = re.compile(r"(?P<name>[^\W\d][^\d_]*_[^\W\d][^\d_]*)_[^_\s]+_\d{2,}")
_NUMBERED = re.compile(r"\s*\(\d+\)$")
MAX_COMPARED = 40


@dataclass(frozen=True)
class Words:
    """The words of a course, by which a file's name is told from a person's."""

    assignments: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, course: Course) -> Words:
        """Return those of a course."""
        assignments = frozenset(rubric.name for rubric in course.rubrics)
        functions = frozenset(each.function for rubric in course.rubrics for each in rubric.exercises)
        return cls(assignments, functions, frozenset(part for name in assignments for part in name.split("_")))

    def personal(self, name: str) -> str:
        """Return what in a name may be a person's, nothing if it only says what kind of work it is."""
        if _GRADESCOPE.fullmatch(name):
            return ""
        spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z])", " ", _TIME.sub(" ", unicodedata.normalize("NFC", name)))
        tokens = _TOKEN.findall(spaced.casefold())
        kept = [each for each in tokens if not each.isdecimal() and each not in _IMPERSONAL and each not in self.parts]
        numbers = [each for each in tokens if each.isdecimal()]
        return " ".join([*kept, *numbers] if kept else [n for n in numbers if len(n) > 3 and not _YEAR.fullmatch(n)])

    def who(self, name: str) -> Person:
        """Return the person that a folder or a file is named after, as far as the name tells."""
        email = _EMAIL.search(name)
        if (match := _WITH_LOGIN.fullmatch(name) or _ILIAS.fullmatch(name)) is not None and self.personal(
            match["name"]
        ):
            written = match["name"].replace("_", ", ")
        else:
            written = self.owner(name)[0]
        return person(written, name, email[0] if email is not None else "")

    def owner(self, stem_of_file: str) -> tuple[str, str]:
        """Return whose a single file is by its name, `Ada Lovelace - linear` or `linear_ada`, and the assignment.

        Both are nothing where the name is not made so; of a name with other words the assignment is nothing.
        """
        for sign in (" - ", "_", "-"):
            parts = stem_of_file.split(sign)
            for place in (len(parts) - 1, 0):
                for cut in range(1, len(parts)):
                    words, rest = (parts[-cut:], parts[:-cut]) if place else (parts[:cut], parts[cut:])
                    name = "_".join(word.strip() for word in words).casefold()
                    if name in self.assignments and self.personal(sign.join(rest)):
                        return sign.join(rest).strip(), name
            kept = [part for part in parts if not self._says_what(part)]
            if 0 < len(kept) < len(parts) and parts[parts.index(kept[0]) :][: len(kept)] == kept:
                return sign.join(kept).strip(), ""
        return "", ""

    def named(self, folder: str) -> frozenset[str]:
        """Return the assignments that a folder's name names."""
        plain = f"_{'_'.join(_TOKEN.findall(folder.casefold()))}_"
        return frozenset(each for each in self.assignments if f"_{each}_" in plain)

    def _says_what(self, part: str) -> bool:
        """Whether a part of a name says what kind of work it is: hw1, and not 1 alone, which may tell two students."""
        return any(map(str.isalpha, part)) and not self.personal(part)

    def is_several(self, folder: Folder, *, is_alone: bool) -> bool:
        """Whether a folder in which no folder holds a class is several people's.

        `is_alone` if there is nothing beside it: then it more likely is the folder around a class.
        """
        stems = [stem(name, SUFFIXES) for name in folder.files if name.endswith(SUFFIXES)]
        if self.is_work(folder):
            # Its owner's linear.py; but browsers and drives number the files of one name, of many people.
            return is_alone and any(
                _NUMBERED.search(each) and _NUMBERED.sub("", each) in self.assignments for each in stems
            )
        own = set(self.personal(folder.name).split())
        named = {name: self._other(stem(name), own) for name in folder.folders}
        named |= {name: self._other(stem(name), own) for name in folder.files if is_archive(name)}
        files = {name: self._other(each, own) for name in folder.files if (each := _stem_of_work(name)) is not None}
        if is_alone:
            people = {each for each in (*named.values(), *files.values()) if each}
            are_numbered = len(named) > 1 and all(name.isdecimal() for name in named)
            is_enough = len(people) > 1 or are_numbered or (bool(people) and _have_the_same(folder, named))
            return is_enough and not _import_one_another(folder, files)
        if not stems:
            return len({each for each in named.values() if each}) > 1 and _have_the_same(folder, named)
        are_people = len(set(files.values())) > 1 and all(files.values()) and not named
        return are_people and not _import_one_another(folder, files) and self._define_the_same(folder, files)

    def is_work(self, folder: Folder) -> bool:
        """Whether a folder has a file that is called as an assignment, and so is its owner's work."""
        return any(name.endswith(SUFFIXES) and stem(name, SUFFIXES) in self.assignments for name in folder.files)

    def are_sections(self, folders: Iterable[Folder]) -> bool:
        """Whether folders are those of groups of people: no work in any, and people's names in half of them."""
        each = list(folders)
        has_work = any(name.endswith(SUFFIXES) or is_archive(name) for folder in each for name in folder.files)
        with_people = sum(len({self.personal(name) for name in folder.folders} - {""}) > 1 for folder in each)
        return not has_work and with_people > 0 and 2 * with_people >= len(each)

    def _other(self, name: str, own: set[str]) -> str:
        """Return what in a name may be a person's who is not the owner of the folder around it."""
        found = self.personal(name)
        # A single letter is nobody's name: what lies in a folder `a.b` may be of b c.
        common = {each for each in own.intersection(found.split()) if len(each) > 1 or not each.isascii()}
        return "" if common else found

    def _define_the_same(self, folder: Folder, names: Iterable[str]) -> bool:
        seen: set[bytes] = set()
        for source in _sources(folder, names).values():
            defined = {each for each in _DEFINED.findall(source) if each.decode() in self.functions}
            if seen & defined:
                return True
            seen |= defined
        return False


def _stem_of_work(name: str) -> str | None:
    """Return the stem of a file that is work, or that somebody took for work."""
    if name.endswith(SUFFIXES):
        return stem(name, SUFFIXES)
    return name.rpartition(".")[0] if not is_archive(name) and kind_of(name) is not None else None


def _have_the_same(folder: Folder, names: Iterable[str]) -> bool:
    folders = [folder.folders[name] for name in names if name in folder.folders][:MAX_COMPARED]
    paths = [{path for path, _ in each.walk() if path.endswith(SUFFIXES)} for each in folders]
    return any(one & other for one, other in combinations(paths, 2))


def _sources(folder: Folder, names: Iterable[str]) -> dict[str, bytes]:
    known = [name for name in names if name in folder.files and name.endswith(SUFFIXES)]
    return {name: folder.files[name].read(max_file_bytes(name))[0] or b"" for name in known[:MAX_COMPARED]}


def _import_one_another(folder: Folder, names: Iterable[str]) -> bool:
    sources = _sources(folder, names)
    modules = {stem(name, SUFFIXES).encode() for name in sources}
    return any(module in modules for source in sources.values() for module in _IMPORTED.findall(source))
