"""One slip of the catalogue, put into a step and carried on to the gradient that is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from grader.diagnose.catalogue import FROM_OUTPUT, Kind, Site, made, slips_of, whole_steps
from grader.diagnose.chains import find_chains, slips_of_chains
from grader.diagnose.composites import slips_of_composites
from grader.diagnose.evidence import Sample, are_small
from grader.diagnose.graph import MISFIT, Patch, Plan, is_broadcast, make_plan, reduce_to
from grader.diagnose.sites import repeated, site_of
from grader.diagnose.slip import Slip
from grader.diagnose.windows import slips_of_windows

Parts = dict[str, Tensor]


def slips(sample: Sample) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the gradient with each slip there can be in the steps behind it, nearest first."""
    chains = find_chains(sample)
    in_loops = {name for chain in chains for name in chain.passes if sample.value not in chain.ends_at(name)}
    sought = {slip.step for slip in sample.sought if isinstance(slip, Slip)}
    for name, plan in sample.plans.items():
        upstream = sample.upstream.get(name)
        # What is written once goes wrong in every pass.
        if upstream is None or name in in_loops or (sought and name not in sought):
            continue
        right = plan.backward(upstream)
        relevant = [read for read in right if read == sample.value or read in sample.plans]
        relevant_right = {read: right[read] for read in relevant}
        contributed = sample.contributed(relevant_right)
        part = sample.flow(relevant_right)
        if part is None:
            continue
        part = part if part.shape == sample.expected.shape else part.sum_to_size(sample.expected.shape)
        step = _Step(sample, plan, upstream, right, tuple(relevant))
        for slip, wrong in step.with_slips():
            if not sample.may_be_returned(contributed, wrong):
                continue
            candidate = sample.replace(name, part, sample.flow(wrong))
            if candidate is not None:
                yield slip, candidate
        for slip, moved in step.with_factors_moved_out():
            candidate = sample.replace(name, part, moved)
            if candidate is not None:
                yield slip, candidate
    yield from slips_of_chains(sample, chains)
    yield from _in_steps_of_one_form(sample)
    yield from slips_of_composites(sample)
    yield from slips_of_windows(sample)
    yield from _rearranged(sample)


@dataclass(frozen=True)
class _Step:
    """One step with what comes back to it, what it should pass on, and to which of the values that matter here."""

    sample: Sample
    plan: Plan
    upstream: Tensor
    right: Mapping[str, Tensor]
    relevant: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.plan.step.name

    def with_slips(self) -> Iterator[tuple[Slip, Parts]]:
        """Yield what the step passes back to each relevant value that it reads, with a slip in it."""
        yield from self._sent()
        yield from self._gathered()
        arriving = self.plan.arriving(self.upstream)
        for index, position, edge in self._edges():
            node = self.plan.nodes[index]
            site = self.site(index, position, arriving[index])
            for kind in slips_of(node.kind) if site is not None else ():
                assert site is not None
                for word, wrong in made(kind, site):
                    parts = self.passed_on({(index, position): wrong}, read := edge if isinstance(edge, str) else "")
                    if parts is not None:
                        yield Slip(self.name, read or self.relevant[0], node.kind, word), parts
        yield from self._shared_factors(arriving)
        yield from self._exchanged_results(arriving)
        yield from self._own_factors()
        yield from self._in_loops()

    def _edges(self) -> Iterator[tuple[int, int, int | str]]:
        for index, node in enumerate(self.plan.nodes):
            for position, edge in enumerate(node.edges):
                if edge is not None and (isinstance(edge, int) or edge in self.relevant):
                    yield index, position, edge

    def site(self, index: int, position: int, g: Tensor) -> Site | None:
        """Return an operation of the step as a place for slips, for an upstream."""
        return site_of(self.sample, self.plan, index, position, g)

    def passed_on(self, patch: Patch, read: str = "") -> Parts | None:
        """Return what goes back with some results replaced; only towards `read`, if it is given."""
        try:
            raw = self.plan.backward(self.upstream, patch)
        except MISFIT:
            return None
        found = {name: self.right[name] for name in self.relevant}
        for name in [read] if read else [name for name in self.relevant if name in raw]:
            found[name] = reduce_to(raw[name], tuple(self.sample.tensors[name].shape))
        return found

    def _sent(self) -> Iterator[tuple[Slip, Parts]]:
        gradients = {name: each for name, each in self.sample.upstream.items() if name != self.sample.value}
        forward = self.sample.case.forward
        cutting = [step for step in forward.steps if self.name in step.reads and _is_cut(make_plan(step, forward))]
        sent = whole_steps.Sent(self.name, self.upstream, gradients, self.sample.tensors, len(cutting))
        for kind in whole_steps.SENT:
            for word, other in made(kind, sent):
                if not self.sample.may_have_come(self.name, self.upstream, other):
                    continue
                found = self.plan.backward(other)
                shapes = {read: tuple(self.sample.tensors[read].shape) for read in self.relevant}
                parts = {read: reduce_to(found[read], shapes[read]) for read in self.relevant}
                yield Slip(self.name, "", "", word), parts

    def _gathered(self) -> Iterator[tuple[Slip, Parts]]:
        rest = {read: self.right[read] for read in self.relevant}
        for read in self.relevant:
            place = whole_steps.Gathered(self.right[read], self.sample.tensors[read], self.upstream)
            for kind in whole_steps.GATHERED:
                for word, wrong in made(kind, place):
                    yield Slip(self.name, read, "", word), {**rest, read: wrong}

    def _shared_factors(self, arriving: Mapping[int, Tensor]) -> Iterator[tuple[Slip, Parts]]:
        """Yield what becomes of a factor that was broadcast, if it is gathered before the product is taken."""
        rest = {read: self.right[read] for read in self.relevant}
        for index, position, edge in self._edges():
            node = self.plan.nodes[index]
            if node.kind != "Mul" or not isinstance(edge, str):
                continue
            site, shape = self.site(index, position, arriving[index]), tuple(self.sample.tensors[edge].shape)
            if site is None or site.partner is None or shape == tuple(site.right.shape):
                continue
            factor = whole_steps.SharedFactor(site.partner, site.g, shape)
            for kind in whole_steps.SHARED:
                for word, wrong in made(kind, factor):
                    yield Slip(self.name, edge, node.kind, word), {**rest, edge: wrong}

    def _exchanged_results(self, arriving: Mapping[int, Tensor]) -> Iterator[tuple[Slip, Parts]]:
        for index, node in enumerate(self.plan.nodes):
            first, second = node.backward(arriving[index]) if node.kind in ("Mm", "Bmm") else (None, None)
            if first is None or second is None or first.shape != second.mT.shape:
                continue
            parts = self.passed_on({(index, 0): second.mT, (index, 1): first.mT})
            if parts is not None:
                yield Slip(self.name, self.relevant[0], node.kind, whole_steps.results_exchanged.name), parts

    def _own_factors(self) -> Iterator[tuple[Slip, Parts]]:
        """Yield what comes out if both factors of a product are multiplied by themselves."""
        for index, node in enumerate(self.plan.nodes):
            one, two = (node.saved("self"), node.saved("other")) if node.kind == "Mul" else (None, None)
            if isinstance(one, Tensor) and isinstance(two, Tensor) and one.shape == two.shape:
                parts = self.passed_on({(index, 0): lambda g, *_, f=one: g * f, (index, 1): lambda g, *_, f=two: g * f})
                if parts is not None:
                    yield Slip(self.name, self.relevant[0], node.kind, whole_steps.own_factors.name), parts

    def _in_loops(self) -> Iterator[tuple[Slip, Parts]]:
        """Yield what comes out if an operation that a loop repeats goes wrong in every pass."""
        for (operation, partner, is_own), places in self._repeated().items():
            for kind in slips_of(operation):
                parts = self.passed_on(dict.fromkeys(places, repeated(self.sample, self.plan, kind)))
                if parts is not None:
                    yield Slip(self.name, self.relevant[0], operation, kind.name), parts
            if partner and not is_own and operation in ("Mm", "Bmm", "Mul"):
                carried = [place for place in places if isinstance(self.plan.nodes[place[0]].edges[place[1]], int)]
                parts = self.passed_on(dict.fromkeys(carried, self._nothing))
                kind_name = f"{whole_steps.not_carried_back.name}:{partner}"
                if parts is not None:
                    yield Slip(self.name, partner, operation, kind_name), parts

    def _repeated(self) -> dict[tuple[str, str, bool], list[tuple[int, int]]]:
        """Return the operations that a loop repeats, by kind and by the value that they read in each of its passes.

        With it goes whether that value is what they are looked at towards.
        """
        read = Counter(edge for node in self.plan.nodes for edge in node.edges if isinstance(edge, str))
        found: dict[tuple[str, str, bool, int], list[tuple[int, int]]] = {}
        for index, position, edge in self._edges():
            node = self.plan.nodes[index]
            others = [other for other in node.edges if isinstance(other, str) and read[other] > 1 and other != edge]
            is_own = isinstance(edge, str) and read[edge] > 1
            partner = edge if isinstance(edge, str) and is_own else next(iter(others), "")
            found.setdefault((node.kind, partner, is_own, position), []).append((index, position))
        return {key[:3]: places for key, places in found.items() if key[1] or len(places) > 1}

    def _nothing(self, g: Tensor, index: int, position: int) -> Tensor:
        right = self.plan.nodes[index].backward(g)[position]
        assert right is not None
        return torch.zeros_like(right)

    def with_factors_moved_out(self) -> Iterator[tuple[Slip, Tensor]]:
        """Yield the gradient itself with a factor of the step not where it belongs, but behind everything."""
        for index, node in enumerate(self.plan.nodes):
            for position in (0, 1) if node.kind == "Mul" else ():
                partner = node.saved("other" if position == 0 else "self")
                edge = node.edges[position]
                if not isinstance(partner, Tensor) or not partner.dim() or edge is None:
                    continue
                if not is_broadcast(tuple(partner.shape), tuple(self.sample.expected.shape)):
                    continue
                parts = self.passed_on({(index, position): lambda g, *_: g})
                flowed = self.sample.flow(parts) if parts is not None else None
                name = _name_of(self.sample, partner)
                right = self.sample.flow({read: self.right[read] for read in self.relevant})
                passes = flowed is not None and right is not None and not are_small(flowed - right, right)
                if flowed is not None and passes and name is not None:
                    yield Slip(self.name, "", node.kind, f"{whole_steps.moved_out.name}:{name}"), flowed * partner


def _is_cut(plan: Plan) -> bool:
    """Return whether a step takes a part of what it reads."""
    return any(node.kind == "Slice" for node in plan.nodes)


def _name_of(sample: Sample, tensor: Tensor) -> str | None:
    same = (
        name for name, value in sample.tensors.items() if value.shape == tensor.shape and torch.equal(value, tensor)
    )
    return next(same, None)


def _in_steps_of_one_form(sample: Sample) -> Iterator[tuple[Slip, Tensor]]:
    """Yield what comes out if steps that do the same, as for Q, K and V, all go wrong in the same way."""
    forms: dict[tuple[str, ...], list[_Step]] = {}
    for name, plan in sample.plans.items():
        upstream = sample.upstream.get(name)
        if upstream is not None:
            right = plan.backward(upstream)
            relevant = tuple(read for read in right if read == sample.value or read in sample.plans)
            step = _Step(sample, plan, upstream, right, relevant)
            forms.setdefault(tuple(node.kind for node in plan.nodes), []).append(step)
    yield from _activations_skipped(sample, [step for steps in forms.values() for step in steps])
    for steps in forms.values():
        parts = [sample.flow({read: step.right[read] for read in step.relevant}) for step in steps]
        if len(steps) < 2 or len({step.plan.step.reads for step in steps}) > 1:
            continue
        whole = sum(part for part in parts if part is not None)
        for slip, wrong in _all_wrong(steps):
            flowed = [sample.flow(each) for each in wrong]
            known = [each for each in flowed if each is not None and each.shape == sample.expected.shape]
            if len(known) == len(steps):
                yield slip, sample.expected - whole + torch.stack(known).sum(dim=0)


def _activations_skipped(sample: Sample, steps: list[_Step]) -> Iterator[tuple[Slip, Tensor]]:
    """Yield what comes out if the activations of several steps, as the gates of an LSTM, are all passed by."""
    curved: dict[tuple[str, ...], list[_Step]] = {}
    for step in steps:
        if step.plan.nodes[0].kind in FROM_OUTPUT:
            curved.setdefault(step.plan.step.reads, []).append(step)
    for together in curved.values():
        if len({step.plan.nodes[0].kind for step in together}) < 2:
            continue
        right = [sample.flow({read: step.right[read] for read in step.relevant}) for step in together]
        patched = [step.passed_on({(0, 0): lambda g, *_: g}) for step in together]
        wrong = [sample.flow(parts) if parts is not None else None for parts in patched]
        known = [w - r for w, r in zip(wrong, right, strict=True) if w is not None and r is not None]
        if len(known) == len(together) and all(each.shape == sample.expected.shape for each in known):
            names = " and ".join(step.name for step in together)
            slip = Slip(names, together[0].relevant[0], "", whole_steps.activations_skipped.name)
            yield slip, sample.expected + torch.stack(known).sum(dim=0)


def _all_wrong(steps: list[_Step]) -> Iterator[tuple[Slip, list[Parts]]]:
    first = steps[0]
    arriving = [step.plan.arriving(step.upstream) for step in steps]
    for index, node in enumerate(first.plan.nodes):
        for kind in slips_of(node.kind):
            parts = []
            for step, g in zip(steps, arriving, strict=True):
                site = step.site(index, 0, g[index])
                found = [wrong for word, wrong in made(kind, site) if ":" not in word] if site is not None else []
                passed = step.passed_on({(index, 0): found[0]}) if found else None
                if passed is not None:
                    parts.append(passed)
            if len(parts) == len(steps):
                names = " and ".join(step.name for step in steps)
                yield Slip(names, first.relevant[0], node.kind, kind.name), parts


def _rearranged(sample: Sample) -> Iterator[tuple[Slip, Tensor]]:
    """Yield the gradient in another order: its parts along an axis, its entries turned round, two axes swapped."""

    def named(kind: Kind[object], detail: str) -> Slip:
        return Slip(sample.value, "", "", f"{kind.name}:{detail}")

    for axis, joined in whole_steps.in_other_orders(sample.expected, (2, 3, 4)):
        yield named(whole_steps.parts_reordered, str(axis)), joined
    axes = range(sample.expected.dim())
    for some in [(axis,) for axis in axes] + list(combinations(axes, 2)):
        yield named(whole_steps.turned_round, " and ".join(map(str, some))), sample.expected.flip(some)
    for one, two in combinations(axes, 2):
        if sample.expected.shape[one] == sample.expected.shape[two]:
            yield named(whole_steps.axes_turned, f"{one} and {two}"), sample.expected.transpose(one, two)
