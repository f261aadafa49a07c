"""A student's formula with one small change after the other: what each of them makes. Runs in the confined child only.

Which of them is right is not known here. What a change makes is told as two numbers for each case, its products with
two random tensors: the grader has the same products of what is right.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from types import CodeType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from grader.sandbox.guest import arrays
from grader.sandbox.guest.call import Callee
from grader.sandbox.guest.changes import changes
from grader.sandbox.guest.dataflow import effect_of
from grader.sandbox.guest.formula import Formula, Written, find_formula
from grader.sandbox.guest.guard import Guard
from grader.sandbox.guest.inputs import Call, Form
from grader.sandbox.guest.places import Change, Leaf, Shapes, Slot, inside
from grader.sandbox.guest.probe import VOID, WITH_PROBES
from grader.sandbox.guest.state import rest_on_state
from grader.sandbox.guest.tensors import unpack_tensors, version

MOST_CHANGES, MOST_PAIRS = 1500, 1000
# Seconds for one gradient; so many changes for several at once, and seconds in which those must end.
FORMULA_SECONDS, MOST_AT_ONCE, LAST_RESORT_SECONDS = 0.4, 800, 10.0
MAX_FLAGS = 100
# Digits that two results of one formula share whatever rounding did.
DIGITS = 9
# Of the processor's time: how much is tried is not for other processes to say.
CLOCK = time.thread_time

# What a gradient is multiplied to with each of the two random tensors; by gradient, one for each setting.
Pair = tuple[float, float]
Products = Mapping[str, list[Pair] | None]


@dataclass(frozen=True)
class Setting:
    """A case in which a formula is tried: its call, the other gradients by name, and the shapes of what it makes."""

    call: Call
    gradients: Mapping[str, Tensor]
    shapes: Mapping[str, tuple[int, ...]]


def read_settings(
    asked: Mapping[str, Any], parts: memoryview, calls: Sequence[Call]
) -> tuple[list[Setting], memoryview]:
    """Return the settings that a request describes, with `calls` of the function, and the bytes behind theirs."""
    settings = []
    for each in asked["settings"]:
        found: list[dict[str, Tensor]] = []
        for part in ("arguments", "gradients"):
            own, parts = parts[: each[part]["length"]], parts[each[part]["length"] :]
            names = [name for name, _, _ in each[part]["tensors"]]
            found.append(unpack_tensors(each[part]["tensors"], own, names))
        call = Call({**calls[each["number"]].values, **found[0]})
        settings.append(Setting(call, found[1], {name: tuple(shape) for name, shape in each["shapes"].items()}))
    return settings, parts


def tell_changes(
    asked: Mapping[str, Any],
    callee: Callee,
    settings: Sequence[Setting],
    written: Written | None,
    guard: Guard,
    seconds: float,
) -> dict[str, Any]:
    """Say what a formula makes as it is, and with each of the changes for which there is time.

    Of several gradients at once, whose marks depend on it, a number of them is tried whatever the processor.
    """
    names = asked["gradients"]
    nothing: dict[str, Any] = {"tried": [], "flags": []}
    is_one = len(names) == 1
    if written is None or seconds <= 0 or not (is_one or guard.refuses_kernels):
        return nothing  # what pays is not tried where the watch is not whole
    formula = find_formula(written, names, settings[0].gradients)
    if formula is None:
        return nothing
    if rest_on_state(formula.statements, written.around, [*callee.form.given, *formula.locals_of.values()]):
        return nothing
    workshop = Workshop(formula, callee.form, settings, written.around, asked["seed"])
    limit = min(seconds, FORMULA_SECONDS) if is_one else LAST_RESORT_SECONDS
    tried: list[list[Any]] = []
    with guard.watch(callee.files) as watch:
        for own, made in workshop.try_all(guard, limit, None if is_one else MOST_AT_ONCE):
            texts = [[each.kind, each.before(), each.after(), written.line_of(each.line)] for each in own]
            tried.append([texts, [made[name] for name in names]])
    flags = [*watch.flags, *([[WITH_PROBES, watch.refusal]] if watch.refusal else [])]
    is_void = watch.refusal or any(kind in VOID for kind, _ in flags)
    return {"tried": [] if is_void else tried, "flags": flags[:MAX_FLAGS]}


class Workshop:
    """A formula in its settings; `files` are the student's, and `names` what their file has beside the function."""

    def __init__(
        self,
        formula: Formula,
        form: Form,
        settings: Sequence[Setting],
        names: Mapping[str, Any],
        seed: int,
    ) -> None:
        self._formula = formula
        self._form = form
        self._settings = settings
        self._names = names
        self._seed = seed
        self._codes = [_compiled(each) for each in formula.statements]
        # By setting, the names that there are before a statement that is at some place.
        self._rooms: list[dict[int, dict[str, Any]]] = [{} for _ in settings]
        self._has_run = False
        # A function that is defined among them finds later ones in the names that it was defined in.
        self._is_pure = not any(effect_of(e).changes or isinstance(e, ast.FunctionDef) for e in formula.statements)

    def try_all(
        self, guard: Guard, seconds: float, most: int | None = None
    ) -> Iterator[tuple[tuple[Change, ...], Products]]:
        """Yield what was written, without a change, then each change that makes what nothing before has made.

        With them come their products. Of what raises as it is written, nothing is yielded in the first place. Where
        there is time left, two changes at once are tried, of those that each make something of the right shape.
        """
        end = CLOCK() + seconds
        plain = self._run(guard)
        if any(plain.values()):
            yield (), plain
        seen = {_rounded(plain)}
        fitting: list[tuple[int, Change]] = []
        running: list[tuple[int, Change]] = []
        for place, change in islice(self._changes(guard), most):
            if CLOCK() > end or len(seen) > MOST_CHANGES:
                return
            made = self._changed(guard, [(place, change)])
            if any(made.values()):
                if (rounded := _rounded(made)) not in seen:
                    fitting.append((place, change))
                    seen.add(rounded)
                    yield (change,), made
            elif self._has_run:
                running.append((place, change))
        # Of what has another shape than it should have, a second change may be one that leaves it so.
        pairs = _pairs(fitting, fitting if any(plain.values()) else running) if len(plain) == 1 else ()
        for first, second in islice(pairs, MOST_PAIRS):
            if CLOCK() > end or len(seen) > MOST_CHANGES:
                return
            made = self._changed(guard, [first, second])
            if any(made.values()) and (rounded := _rounded(made)) not in seen:
                seen.add(rounded)
                yield (first[1], second[1]), made

    def _changes(self, guard: Guard) -> Iterator[tuple[int, Change]]:
        leaves = self._leaves()
        for tier in self._formula.tiers:
            yield from changes(self._formula.statements, tier, leaves, self._shapes(tier, guard))

    def _shapes(self, places: Collection[int], guard: Guard) -> Shapes:
        """Return the shapes of what the expressions at some places make in the first setting, as far as they ran."""
        seen: dict[int, tuple[int, ...]] = {}

        def see(key: int, value: Any) -> Any:
            seen[key] = tuple(getattr(value, "shape", ()))
            return value

        copied = copy.deepcopy(self._formula.statements)
        keys: dict[int, int] = {}
        for place in places:
            slots = inside(Slot(self._formula.statements, place)), inside(Slot(copied, place))
            # The inner ones first: what is put around an outer one holds them.
            for own, other in reversed(list(zip(*slots, strict=True))):
                if isinstance(own.node, ast.expr) and not isinstance(own.node, ast.Slice) and not own.is_called:
                    key = keys[id(own.node)] = len(keys)
                    node = ast.Call(ast.Name("__see__", ast.Load()), [ast.Constant(key), other.node], [])
                    other.put(ast.fix_missing_locations(ast.copy_location(node, other.node)))
        room = {**self._room(0), "__see__": see}
        with contextlib.suppress(Exception), guard.inference:
            for each in copied:
                exec(_compiled(each), room)  # noqa: S102 # the student's own statements
        self._rooms[0] = {}
        return {node: seen[key] for node, key in keys.items() if key in seen}

    def _changed(self, guard: Guard, made: Sequence[tuple[int, Change]]) -> Products:
        """Return the products with some changes made."""
        before = [change.slot.node for _, change in made]
        for _, change in made:
            change.slot.put(change.node)
        products = self._run(guard, [place for place, _ in made])
        for old, (_, change) in reversed(list(zip(before, made, strict=True))):
            change.slot.put(old)
        return products

    def _run(self, guard: Guard, places: Sequence[int] = ()) -> Products:
        """Return the products of what the statements make of each gradient in every setting.

        They are changed at `places`. None of a gradient where they raise, or make no such thing.
        """
        found: dict[str, list[Pair] | None] = {name: [] for name in self._formula.results}
        statements = self._formula.statements
        # Two statements in another order are at a place and behind it.
        changed = {each for place in places for each in (place, place + 1) if each < len(statements)}
        self._has_run = False
        try:
            codes = {place: _compiled(statements[place]) for place in changed}
        except (SyntaxError, ValueError, TypeError, RecursionError):
            return dict.fromkeys(found)
        # What nothing changes in place stays as it was before the first change.
        start = min(places) if places and self._is_pure else 0
        rest = [codes.get(place, code) for place, code in enumerate(self._codes)][start:]
        for number, setting in enumerate(self._settings):
            first = self._room(number)
            try:
                with guard.inference:
                    room = dict(self._before(start, number))
                    for code in rest:
                        exec(code, room)  # noqa: S102 # the student's own statements
                    self._has_run = True
                    alive = [name for name, before in found.items() if before is not None]
                    pairs = {name: self._pair(name, room, setting) for name in alive}
            except Exception:  # noqa: BLE001 # most changes make no sense
                pairs = {}
            if _is_changed(first) or any(effect_of(statements[each]).changes for each in changed):
                self._rooms[number] = {}
            for name, before in found.items():
                pair = pairs.get(name)
                found[name] = None if before is None or pair is None else [*before, pair]
            if not any(found.values()):
                break
        return found

    def _pair(self, name: str, room: Mapping[str, Any], setting: Setting) -> Pair | None:
        made, shape = room.get(self._formula.results[name]), setting.shapes[name]
        value = arrays.as_tensor(found) if not isinstance(found := arrays.find_array(made), str) else made
        if not isinstance(value, Tensor) or value.dtype is not torch.float64 or tuple(value.shape) != shape:
            return None
        flat = value.reshape(-1)
        first, second = (float(flat @ each) for each in directions(self._seed, flat.shape[0]))
        is_finite = abs(first) < float("inf") and abs(second) < float("inf")
        return (first, second) if is_finite else None

    def _room(self, number: int) -> dict[str, Any]:
        """Return the names of a setting, afresh if what ran before has changed them in place."""
        rooms = self._rooms[number]
        if 0 not in rooms:
            setting = self._settings[number]
            room = dict(self._names) | dict(setting.call.give(self._form).arguments)
            for gradient, local in self._formula.locals_of.items():
                if gradient in setting.gradients:
                    own = setting.gradients[gradient].clone()
                    room[local] = arrays.as_array(own) if self._form.is_numpy else own
            room["__versions__"] = {} if self._form.is_numpy else _versions(room)
            rooms[0] = room
        return rooms[0]

    def _before(self, place: int, number: int) -> dict[str, Any]:
        """Return the names that a setting has before the statement at a place runs."""
        rooms = self._rooms[number]
        if place not in rooms:
            room = dict(self._before(place - 1, number))
            exec(self._codes[place - 1], room)  # noqa: S102 # the student's own statement
            rooms[place] = room
        return rooms[place]

    def _leaves(self) -> list[Leaf]:
        """Return what a formula may read: arguments, values of the cache, other gradients, and their sizes."""
        rooms = [self._room(number) for number in range(len(self._settings))]
        unpacked = {ast.dump(node): name for name, node in self._formula.known.items()}
        found: dict[str, Leaf] = {}
        for name in [*self._formula.locals_of.values(), *self._form.given]:
            if name not in rooms[0]:
                continue
            if isinstance(rooms[0][name], SimpleNamespace):
                for value in vars(rooms[0][name]):
                    node = ast.Attribute(ast.Name(name, ast.Load()), value, ast.Load())
                    text = unpacked.get(ast.dump(node), f"{name}.{value}")
                    found[text] = Leaf(node, text)
            else:
                found[name] = Leaf(ast.Name(name, ast.Load()), name)
        own = set(self._formula.results.values())
        made = {each.id: each for each in _assigned(self._formula.statements) if each.id not in own}
        found = {**{name: Leaf(ast.Name(name, ast.Load()), name) for name in made}, **found}
        return [*_distinct(found.values(), rooms), *_sizes(found, rooms)]


def _pairs(
    first: Sequence[tuple[int, Change]], second: Sequence[tuple[int, Change]]
) -> Iterator[tuple[tuple[int, Change], tuple[int, Change]]]:
    """Yield pairs of changes, those of two likely ones first."""
    is_one = first is second
    for total in range(len(first) + len(second)):
        for place in range(max(0, total - len(second) + 1), min(total + 1, len(first))):
            if not is_one or place < total - place:
                yield first[place], second[total - place]


def _compiled(statement: ast.stmt) -> CodeType:
    return compile(ast.Module([statement], []), "<repair>", "exec", dont_inherit=True)


def _assigned(statements: Sequence[ast.stmt]) -> Iterator[ast.Name]:
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node


def _distinct(leaves: Iterable[Leaf], rooms: Sequence[Mapping[str, Any]]) -> Iterator[Leaf]:
    """Yield the leaves with their shapes, without those that have the numbers of another one: out and h, say."""
    seen: set[bytes] = set()
    for leaf in leaves:
        values = [_value(leaf.node, room) for room in rooms]
        if all(isinstance(value, Tensor) for value in values):
            key = b"".join(str(tuple(value.shape)).encode() + value.numpy().tobytes() for value in values)
            if key in seen:
                continue
            seen.add(key)
        shapes = tuple(tuple(getattr(value, "shape", ())) for value in values)
        yield replace(leaf, shapes=shapes)


def _sizes(leaves: Mapping[str, Leaf], rooms: Sequence[Mapping[str, Any]]) -> Iterator[Leaf]:
    """Yield the sizes of values, each under the first name that it has."""
    seen: set[tuple[int, ...]] = set()
    for leaf in leaves.values():
        values = [_value(leaf.node, room) for room in rooms]
        dims = {len(value.shape) if isinstance(value, Tensor | arrays.ndarray) else 0 for value in values}
        for axis in range(min(dims)):
            sizes = tuple(int(value.shape[axis]) for value in values)
            if sizes not in seen and set(sizes) != {1}:
                seen.add(sizes)
                shape = ast.Attribute(leaf.node, "shape", ast.Load())
                yield Leaf(
                    ast.Subscript(shape, ast.Constant(axis), ast.Load()), f"{leaf.text}.shape[{axis}]", is_size=True
                )


def _value(node: ast.expr, room: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return room.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return getattr(room.get(name), attribute, None)
    return None


def _tensors(room: Mapping[str, Any]) -> Iterator[Tensor]:
    for value in room.values():
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, SimpleNamespace):
            yield from (each for each in vars(value).values() if isinstance(each, Tensor))


def _versions(room: Mapping[str, Any]) -> dict[int, int]:
    return {id(each): version(each) for each in _tensors(room) if not each.is_inference()}


def _is_changed(room: Mapping[str, Any]) -> bool:
    """Return whether a tensor was changed in place; of arrays that is not known."""
    return not room["__versions__"] or _versions(room) != room["__versions__"]


# Each search has another seed: what is kept for ever would fill the memory of a worker that grades a large class.
@lru_cache(maxsize=32)
def directions(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Return two random tensors of so many entries, the same here and in the grader."""
    generator = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(count, dtype=torch.float64, generator=generator) for _ in range(2))
    return first, second


def _rounded(made: Products) -> tuple[str, ...]:
    pairs = [pair for own in made.values() for pair in own or [(0.0, 0.0)]]
    return tuple(f"{each:.{DIGITS}g}" for pair in pairs for each in pair)
