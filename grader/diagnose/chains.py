"""A loop whose passes have names of their own, and the walk back through it with the same slip in every pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from grader.diagnose.catalogue import FROM_OUTPUT, OPERATIONS, Kind, Site, loops, made, slips_of
from grader.diagnose.evidence import Sample, are_small
from grader.diagnose.graph import MISFIT, Node, Plan, reduce_to
from grader.diagnose.sites import repeated
from grader.diagnose.slip import Slip

Parts = Mapping[str, Tensor]
# What a step passes back for an upstream.
Back = Callable[[str, Tensor], Parts]


@dataclass(frozen=True)
class Chain:
    """Steps with the names `base`1, `base`2, ... that do the same, each of which reads the one before it."""

    sample: Sample
    base: str
    numbers: tuple[int, ...]

    @property
    def passes(self) -> tuple[str, ...]:
        """The steps, the first one first."""
        return tuple(f"{self.base}{number}" for number in self.numbers)

    @property
    def spoken(self) -> str:
        """The steps as a sentence calls them; the same however many there are."""
        first = self.numbers[0]
        return f"{self.base}{first}, {self.base}{first + 1}, …"

    def before(self, name: str) -> str:
        """Return what a step begins with."""
        return f"{self.base}{int(name.removeprefix(self.base)) - 1}"

    def ends_at(self, name: str) -> tuple[str, ...]:
        """Return what the first pass alone goes back to: what it begins with."""
        return (self.before(name),) if name == self.passes[0] else ()

    @cached_property
    def outside(self) -> dict[str, Tensor]:
        """What comes back to each value behind the one looked at, other than through steps that are looked at."""
        sample, inside = self.sample, self._right
        found = {}
        for name in (*sample.plans, sample.value):
            whole = sample.expected if name == sample.value else sample.upstream[name]
            rest = whole
            for parts in inside.values():
                if name in parts:
                    rest = rest - reduce_to(parts[name], tuple(whole.shape))
            found[name] = torch.zeros_like(whole) if are_small(rest, whole * 1e3) else rest
        return found

    @cached_property
    def _right(self) -> dict[str, Parts]:
        return {name: plan.backward(self.sample.upstream[name]) for name, plan in self.sample.plans.items()}

    def walk(self, back: Back) -> Tensor | None:
        """Return the gradient looked at, if each step passes on what `back` makes of its upstream."""
        sample, reached = self.sample, dict(self.outside)
        try:
            for name in reversed(sample.plans):
                for read, raw in back(name, reached.pop(name)).items():
                    if read in reached:
                        reached[read] = reached[read] + reduce_to(raw, tuple(reached[read].shape))
        except MISFIT:
            return None
        return reached[sample.value]

    def _keeping(self, keep: loops.Keep) -> Tensor | None:
        def back(name: str, g: Tensor) -> Parts:
            return {read: raw for read, raw in self._plan(name).backward(g).items() if keep(name, read)}

        return self.walk(back)

    def _plan(self, name: str) -> Plan:
        return self.sample.plans[name]

    def with_slip(self, kind: Kind[Site], index: int, position: int) -> Tensor | None:
        """Walk back with the same slip in the same operation of every pass."""

        def back(name: str, g: Tensor) -> Parts:
            plan = self._plan(name)
            patch = {(index, position): repeated(self.sample, plan, kind)} if name in self.passes else None
            return plan.backward(g, patch)

        return self.walk(back)

    def _past(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the walk in which what is handed on, and nothing else, has passed by an operation."""
        for index, node in enumerate(self._plan(self.passes[0]).nodes):
            if node.kind not in FROM_OUTPUT:
                continue

            def back(name: str, g: Tensor, index: int = index) -> Parts:
                right = self._plan(name).backward(g)
                if name not in self.passes:
                    return right
                before = self.before(name)
                return {**right, before: self._plan(name).backward(g, {(index, 0): lambda g, *_: g})[before]}

            found = self.walk(back)
            if found is not None:
                yield OPERATIONS[node.kind], found

    def _slope_before(self) -> Tensor | None:
        """Walk back with every slope that is written with an output at what the pass began with."""
        places = [(i, n.kind) for i, n in enumerate(self._plan(self.passes[0]).nodes) if n.kind in FROM_OUTPUT]

        def back(name: str, g: Tensor) -> Parts:
            if name not in self.passes:
                return self._plan(name).backward(g)
            state = self.sample.tensors[self.before(name)]
            patch = {(i, 0): lambda g, *_, kind=kind: g * FROM_OUTPUT[kind](state) for i, kind in places}
            return self._plan(name).backward(g, patch)

        return self.walk(back) if places else None

    def _with(self, state: Callable[[int], str]) -> Tensor | None:
        """Walk back with another value as the factor that each pass began with, towards what it is multiplied by."""

        def back(name: str, g: Tensor) -> Parts:
            plan = self._plan(name)
            right = plan.backward(g)
            if name not in self.passes or self.sample.value not in right:
                return right
            value = self.sample.tensors[state(self.passes.index(name))]
            before = self.sample.tensors[self.before(name)]
            patch = {}
            for index, node in enumerate(plan.nodes):
                if node.kind == "Mm" and node.edges[1] == self.sample.value and torch.equal(_first(node), before):
                    patch[index, 1] = lambda g, *_: value.mT @ g
            if not patch:
                raise ValueError
            return plan.backward(g, patch)

        return self.walk(back)

    def _forward(self) -> Tensor | None:
        """Walk from the first pass to the last, each handing on to the next."""
        sample, value = self.sample, self.sample.value
        reached: dict[str, Tensor] = {name: self.outside[name] for name in (*self.passes, value)}
        try:
            for name in reversed(sample.plans):
                for read, raw in self._right[name].items() if name not in self.passes else ():
                    if read in reached:
                        reached[read] = reached[read] + reduce_to(raw, tuple(reached[read].shape))
            handed = torch.zeros_like(reached[self.passes[0]])
            for name in self.passes:
                parts = self._plan(name).backward(reached[name] + handed)
                handed = parts[self.before(name)]
                if value in parts and value != self.before(name):
                    reached[value] = reached[value] + reduce_to(parts[value], tuple(reached[value].shape))
        except MISFIT:
            return None
        return handed if value == self.before(self.passes[0]) else reached[value]

    @property
    def loop(self) -> loops.Loop:
        """The chain as a place for slips."""
        start = self.before(self.passes[0])
        walks = (self._keeping, self._past, self._with, self._slope_before, self._forward)
        return loops.Loop(self.passes, start, self.sample.value, *walks)


def _first(node: Node) -> Tensor:
    found = node.saved("self")
    return found if isinstance(found, Tensor) else torch.empty(0)


def find_chains(sample: Sample) -> list[Chain]:
    """Return the loops among the steps behind a value; one that has a single pass in this case is one, too."""
    numbers: dict[str, list[int]] = {}
    for name in sample.plans:
        match = re.fullmatch(r"(.*\D)(\d+)", name)
        if match and sample.upstream.get(name) is not None:
            numbers.setdefault(match[1], []).append(int(match[2]))
    chains = (Chain(sample, base, tuple(sorted(found))) for base, found in numbers.items())
    return [chain for chain in chains if _is_loop(chain)]


def _is_loop(chain: Chain) -> bool:
    plans = [chain.sample.plans[name] for name in chain.passes]
    reads = all(chain.before(plan.step.name) in plan.step.reads for plan in plans)
    return reads and len({tuple(node.kind for node in plan.nodes) for plan in plans}) == 1


def slips_of_chains(sample: Sample, chains: list[Chain]) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the gradient with each slip that there can be in the body of a loop."""
    for chain in chains:
        yield from _in_every_pass(chain)
        for kind in loops.KINDS:
            for word, wrong in made(kind, chain.loop):
                yield Slip(chain.spoken, sample.value, "", word), wrong


def _in_every_pass(chain: Chain) -> Iterator[tuple[Slip, Tensor]]:
    sample, plan = chain.sample, chain.sample.plans[chain.passes[0]]
    ends = {sample.value, *chain.passes, chain.before(chain.passes[0])}
    for index, node in enumerate(plan.nodes):
        for position, edge in enumerate(node.edges):
            if edge is None or (isinstance(edge, str) and edge not in ends):
                continue
            for kind in slips_of(node.kind):
                wrong = chain.with_slip(kind, index, position)
                if wrong is not None:
                    yield Slip(chain.spoken, sample.value, node.kind, kind.name), wrong
