"""A downloaded sheet in which single cells are filled: every other byte of it stays as it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.batch.entry import Person
from grader.batch.gradebook import Row
from grader.errors import UsageError

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Filled:
    """The sheet with its cells filled, and what there is to say about it."""

    content: bytes
    notes: tuple[str, ...]


class Sheet:
    """A CSV file as rows of cells, each kept as it was written. Raises UsageError if it is not UTF-8."""

    def __init__(self, content: bytes) -> None:
        self._bom = BOM if content.startswith(BOM) else b""
        try:
            text = content[len(self._bom) :].decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(
                "the sheet is not UTF-8; download it again, and do not save it with a spreadsheet"
            ) from error
        first = text.partition("\n")[0]
        self.delimiter = ";" if first.count(";") > first.count(",") else ","
        self._raw = list(_split(text, self.delimiter))

    @property
    def rows(self) -> list[list[str]]:
        """The values of all cells."""
        return [[_value(cell) for cell in cells] for cells, _ in self._raw]

    def fill(self, row: int, column: int, value: str) -> None:
        """Put a value into a cell. Raises UsageError if the row is too short to have it."""
        cells = self._raw[row][0]
        if column >= len(cells):
            raise UsageError(
                f"row {row + 1} of the sheet has {len(cells)} cells, the grade would be number {column + 1}"
            )
        cells[column] = f'"{value}"' if self.delimiter in value else value

    def as_bytes(self) -> bytes:
        """Return the whole file."""
        return self._bom + "".join(self.delimiter.join(cells) + end for cells, end in self._raw).encode()


def match_people(rows: Sequence[Row], lines: Mapping[int, Sequence[str]]) -> tuple[dict[int, Row], list[str]]:
    """Return for lines of a sheet the row of the gradebook that is theirs, and what could not be matched.

    `lines` gives for each line the keys by which its student may be known, the surest first. A student who
    stands in the sheet twice is filled in neither place, and two submissions of one student in none.
    """
    known: list[dict[str, list[Row]]] = [defaultdict(list) for _ in range(max(map(len, lines.values()), default=0))]
    for row in rows:
        for person in row.people:
            for place in known:
                for key in _keys(person):
                    if row not in place[key]:
                        place[key].append(row)
    found: dict[int, Row] = {}
    notes: list[str] = []
    for line, keys in lines.items():
        candidates = next((place[key] for place, key in zip(known, keys, strict=False) if key and place.get(key)), [])
        if len(candidates) == 1:
            found[line] = candidates[0]
        elif candidates:
            notes.append(f"line {line + 1}: {len(candidates)} submissions are of this student; none was filled in")
    allowed = Counter({id(row): max(len(row.people), 1) for row in rows})
    counts = Counter(id(row) for row in found.values())
    for row in rows:
        if counts[id(row)] > allowed[id(row)]:
            notes.append(f"{row.submission} stands in the sheet more than once; none of the lines was filled in")
            found = {line: each for line, each in found.items() if each is not row}
    missing = [row.submission for row in rows if not counts[id(row)]]
    if missing:
        notes.append(
            f"{len(missing)} not in the sheet: {', '.join(missing[:10])}{', ...' if len(missing) > 10 else ''}"
        )
    return found, notes


def plain(name: str) -> str:
    """Return a name as Canvas writes it into a file's: in lower case, letters and digits only."""
    return "".join(character for character in name.lower() if character.isalnum())


def _keys(person: Person) -> set[str]:
    return {key for key in (person.id.lower(), person.email.lower(), plain(person.name)) if key}


def _split(text: str, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Yield each row's cells as they are written, quotes included, and the row's end."""
    cells: list[str] = []
    start, quoted, place = 0, False, 0
    while place < len(text):
        character = text[place]
        if character == '"':
            quoted = not quoted  # a doubled quote closes and opens again
        elif not quoted and character == delimiter:
            cells.append(text[start:place])
            start = place + 1
        elif not quoted and character in "\r\n":
            end = "\r\n" if text.startswith("\r\n", place) else character
            yield [*cells, text[start:place]], end
            cells, start = [], place + len(end)
            place = start - 1
        place += 1
    if cells or start < len(text):
        yield [*cells, text[start:]], ""


def _value(cell: str) -> str:
    stripped = cell.strip()
    return stripped[1:-1].replace('""', '"') if len(stripped) > 1 and stripped[0] == stripped[-1] == '"' else cell
