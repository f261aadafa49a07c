"""A downloaded sheet in which single cells are filled: every other byte of it stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
        needs_quotes = any(each in value for each in (self.delimiter, '"', "\n"))
        cells[column] = '"{}"'.format(value.replace('"', '""')) if needs_quotes else value

    def as_bytes(self) -> bytes:
        """Return the whole file."""
        return self._bom + "".join(self.delimiter.join(cells) + end for cells, end in self._raw).encode()


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
