"""The fields of the nouns that files hold: what each may be, and how it is read.

A field whose alias stands in brackets is no key of a file: the reader fills it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from grader.course.yaml import Place, Section

Name = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
GradientName = Annotated[str, StringConstraints(strict=True, pattern=r"^d[A-Za-z_][A-Za-z0-9_]*$")]
# A function of this assignment, or with a dot of another one.
FunctionName = Annotated[
    str, StringConstraints(strict=True, pattern=r"^([A-Za-z_][A-Za-z0-9_]*\.)?[A-Za-z_][A-Za-z0-9_]*$")
]
Text = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
# A tag of BCP 47, as HTML's lang takes it: de, pt-BR, zh-Hans.
Language = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Format = Annotated[int, Field(strict=True, ge=1, le=1)]
Points = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Lines = Annotated[tuple[Text, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


def _check_size(value: object) -> object:
    """Accept what an input maker can be given: numbers, text, and lists of them."""
    if isinstance(value, list):
        for part in value:
            _check_size(part)
    elif not isinstance(value, int | float | str) or isinstance(value, bool):
        # A bool is an int to Python, and `yes` and `no` are bools to YAML.
        raise PydanticCustomError("size", "must be a number, a text or a list of them")
    return value


Size = Annotated[Any, AfterValidator(_check_size)]


def _read_list(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    # As a tuple, one whose only entry does not fit would be said to be empty as well.
    entries = core_schema.list_schema(handler.generate_schema(get_args(source)[0]), min_length=1)
    return core_schema.no_info_after_validator_function(tuple, entries)


AT_LEAST_ONE = GetPydanticSchema(_read_list)

# What the reader fills in, under names that are no key of any file.
NAME, PLACE, SIZES, RUBRICS, FOLDER = "(name)", "(place)", "(sizes)", "(rubrics)", "(folder)"
GRADIENTS, PATH, OPTIONAL = "(gradients)", "(path)", "(optional)"
TRUSTED = GetPydanticSchema(lambda _source, _handler: core_schema.any_schema())

# Of a whole file, and so of every noun within it.
STRICT = ConfigDict(extra="forbid")

OwnName = Annotated[str, Field(validation_alias=NAME), TRUSTED]
OwnPlace = Annotated[Place, Field(validation_alias=PLACE), TRUSTED]
OwnFolder = Annotated[Path, Field(validation_alias=FOLDER), TRUSTED]
OwnPath = Annotated[Path, Field(validation_alias=PATH), TRUSTED]

Placed = BeforeValidator(lambda entry: {**entry, PLACE: entry.place} if isinstance(entry, Section) else entry)

# A function's own name: what is before the dot is in the path beside it.
WITHOUT_ASSIGNMENT = AfterValidator(lambda name: name.rpartition(".")[2])


def in_file(file: str, key: str) -> BeforeValidator:
    """Fill in the path of a file: of the assignment that the function under `key` names, or else of the rubric's."""

    def fill(entry: object) -> object:
        if not isinstance(entry, dict):
            return entry
        folder = Path(entry[PLACE].path).parent
        assignment, dot, _ = str(entry.get(key)).partition(".")
        return {**entry, PATH: (folder.parent / assignment if dot else folder) / file}

    return BeforeValidator(fill)


@dataclass(frozen=True)
class ByName:
    """Marks a tuple of entries that a file holds as a mapping of their names to them.

    What an entry leaves out of `inherits` it has from the fields of these names around it, and of the number in
    `shares`, if there is one, a part of its own. With `only`, an entry is no mapping: all of it is the field of that
    alias.
    """

    name: object
    inherits: tuple[str, ...] = ()
    shares: str | None = None
    only: str | None = None
    at_least: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the mapping, so that each misfit is found under its name."""
        names, entries = handler.generate_schema(self.name), handler.generate_schema(get_args(source)[0])
        mapping = core_schema.dict_schema(names, entries, min_length=self.at_least)
        filled = core_schema.with_info_before_validator_function(self._fill, mapping)
        return core_schema.no_info_after_validator_function(lambda found: tuple(found.values()), filled)

    def _fill(self, entries: object, info: ValidationInfo) -> object:
        if not isinstance(entries, Section):
            return entries
        inherited = {key: info.data[key] for key in self.inherits if key in info.data}
        shared = info.data.get(self.shares) if self.shares else None
        if shared is not None:
            without = [each for each in entries.values() if isinstance(each, Section) and self.shares not in each]
            inherited[str(self.shares)] = shared / max(len(without), 1)
        filled: dict[str, object] = {}
        for name, entry in entries.items():
            place = entries.key_places[name]
            if self.only:
                entry = {self.only: entry, NAME: name, PLACE: place}
            elif isinstance(entry, Section):
                own = {key: value for key, value in entry.items() if value is not None or key not in self.inherits}
                entry = {**inherited, **own, NAME: name, PLACE: place}
            filled[name] = entry
        return filled


def _is_own(key: str, value: object) -> bool:
    """Return whether a key of a case is one of its own; a size may be called `hidden`, too, and is a number."""
    return key == "name" or (key == "hidden" and isinstance(value, bool | str))


def gather_sizes(entry: object) -> object:
    """Put the arguments of an input maker, which stand beside a case's own keys, under one key."""
    if not isinstance(entry, Section):
        return entry
    own = {key: value for key, value in entry.items() if _is_own(key, value)}
    sizes = {key: value for key, value in entry.items() if key not in own}
    return {**own, SIZES: sizes, PLACE: entry.place}
