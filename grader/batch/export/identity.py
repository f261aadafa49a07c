"""Whose line of a sheet is whose submission: by the sheet's own system, an e-mail, or a name that nobody else has.

A number of one system is never taken for another's, and what does not match is listed, never guessed.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.batch.entry import PLAIN, Person
from grader.batch.gradebook import Row

SHOWN = 10


@dataclass(frozen=True)
class Line:
    """A student as a sheet has them: the number that its system gave, e-mails, names, and what they log in with."""

    number: str = ""
    emails: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    login: str = ""


@dataclass(frozen=True)
class _Hand:
    """One person of one submission, looking for a line."""

    row: Row
    person: Person


def match_people(rows: Sequence[Row], lines: Mapping[int, Line], system: str) -> tuple[dict[int, Row], list[str]]:
    """Return for lines of a sheet the row of the gradebook that is theirs, and what there is to say.

    A student who stands in the sheet twice is filled in neither place, and two submissions of one student in none.
    """
    hands = [_Hand(row, person) for row in rows for person in row.people]
    ways: list[tuple[str, Callable[[_Hand], frozenset[str]], Callable[[Line], frozenset[str]]]] = [
        (f"{system}'s own number", lambda hand: _number(hand, system), lambda line: _some(line.number)),
        ("e-mail", _emails, lambda line: line.emails),
        ("name", _names, lambda line: line.names | _some(line.login)),
    ]
    found: dict[int, list[Row]] = defaultdict(list)
    how: dict[str, list[str]] = {name: [] for name, _, _ in ways}
    notes: list[str] = []
    left = hands
    for name, of_hand, of_line in ways:
        places = _places(lines, of_line)
        # A name must be nobody else's; two submissions with one number are of one student, which is said below.
        rivals = Counter(key for hand in hands for key in of_hand(hand)) if name == "name" else Counter[str]()
        unmatched = []
        for hand in left:
            keys = of_hand(hand)
            at = {line for key in keys for line in places.get(key, ())}
            if len(at) == 1 and not any(rivals[key] > 1 for key in keys):
                found[next(iter(at))].append(hand.row)
                how[name].append(f"{hand.row.submission} (line {next(iter(at)) + 1})")
            elif at:
                notes.append(_say_doubt(hand, at, name))
            else:
                unmatched.append(hand)
        left = unmatched
    notes += [_say_matched(name, matched) for name, matched in how.items() if matched]
    notes += [
        f"line {line + 1}: {len(claims)} submissions are of this student; none was filled in"
        for line, claims in found.items()
        if len(claims) > 1
    ]
    if missing := list(dict.fromkeys(hand.row.submission for hand in left)):
        notes.append(f"{len(missing)} not in the sheet: {_listed(missing)}")
    return {line: claims[0] for line, claims in found.items() if len(claims) == 1}, notes


def names_of(name: str) -> frozenset[str]:
    """Return the ways to write a name without spaces: `Lovelace, Ada` is `adalovelace`, and `lovelaceada` in Canvas."""
    words = unicodedata.normalize("NFC", name).casefold().replace(",", " ").split()
    turned = {"".join(words[start:] + words[:start]) for start in range(len(words))}
    plain = {"".join(filter(str.isalnum, each)) for each in turned}
    return frozenset(each for each in plain if each and not each.isdecimal())


def names_in_canvas(name: str) -> frozenset[str]:
    """Return the same as Canvas writes them into the names of files: what is no plain letter is left out."""
    return frozenset(each for written in names_of(name) if (each := "".join(filter(str.isascii, written))))


def _number(hand: _Hand, system: str) -> frozenset[str]:
    return _some(hand.person.id) if hand.row.system == system else frozenset()


def _emails(hand: _Hand) -> frozenset[str]:
    return frozenset(each.lower() for each in (hand.person.email, hand.person.id) if "@" in each)


def _names(hand: _Hand) -> frozenset[str]:
    # A folder that an instructor named is called by a name, or by what the student logs in with.
    name = hand.person.name or (hand.person.id if hand.row.system == PLAIN else "")
    return names_of(name)


def _places(lines: Mapping[int, Line], of_line: Callable[[Line], frozenset[str]]) -> dict[str, set[int]]:
    places: dict[str, set[int]] = defaultdict(set)
    for number, line in lines.items():
        for key in of_line(line):
            places[key].add(number)
    return places


def _say_doubt(hand: _Hand, at: set[int], way: str) -> str:
    if len(at) > 1:
        return f"{hand.row.submission} stands in the sheet more than once; none of the lines was filled in"
    return f"{hand.row.submission}: another submission has the same {way} as line {min(at) + 1}; it was not filled in"


def _say_matched(way: str, matched: Sequence[str]) -> str:
    return f"{len(matched)} matched by {way}{f': {_listed(matched)}' if way == 'name' else ''}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _some(key: str) -> frozenset[str]:
    return frozenset({key.strip().lower()} - {""})


def emails_in(cells: Sequence[str]) -> Iterator[str]:
    """Yield the cells that are an e-mail address."""
    yield from (cell.strip().lower() for cell in cells if cell.count("@") == 1 and " " not in cell.strip())
