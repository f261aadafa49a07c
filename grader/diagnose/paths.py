"""A gradient as a sum over the paths that lead back to it, and what may have become of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from grader.diagnose.catalogue import OPERATIONS
from grader.diagnose.evidence import Sample, are_equal, are_small
from grader.diagnose.graph import MISFIT, Node
from grader.diagnose.numbers import WrittenIn, find_written_in, name_factor

# Operations whose slope may have been multiplied into a path that does not go through them.
SLOPES = ("Tanh", "Sigmoid", "Exp")
# How often a step may read a value for each of its uses to be looked at; in a loop there are many.
MOST_USES = 4
# How many entries of a path are looked at before all are.
PROBES = 6


@dataclass(frozen=True)
class Path:
    """All that reaches a gradient through these values, nearest first; no value means all of it.

    Of an output that the forward goes on with, `is_own` is what comes to it as an output alone.
    """

    through: tuple[str, ...] = ()
    is_own: bool = False


@dataclass(frozen=True)
class Scaled:
    """A path that came back multiplied by a number that has these names in every case."""

    path: Path
    factors: tuple[float, ...]
    names: tuple[str, ...]
    written_in: WrittenIn | None = None


@dataclass(frozen=True)
class Exchanged:
    """A path in which `found` stands as a factor in place of `right`; "" stands for nothing.

    A name with ² is the square of a value.
    """

    path: Path
    found: str
    right: str

    @property
    def is_simple(self) -> bool:
        """Whether one value is missing or one too many, in the whole gradient."""
        return not self.path.through and not (self.found and self.right) and "²" not in self.found + self.right


def find_paths(sample: Sample) -> dict[Path, Tensor]:
    """Return the parts of the expected gradient that come back through each step, without empty and whole ones.

    A step is a path of its own, and so is each of its uses of a value if it uses several.
    """
    found: dict[Path, Tensor] = {}
    for name, plan in sample.plans.items():
        raw = plan.backward(sample.upstream[name]) if name in sample.upstream else {}
        relevant = {read: part for read, part in raw.items() if read == sample.value or read in sample.plans}
        uses: list[tuple[tuple[str, ...], dict[str, Tensor]]] = []
        if (name,) != sample.case.forward.outputs:  # through a single output comes everything
            uses.append(((name,), relevant))
        if len(relevant) > 1:
            uses += [((read, name), {read: part}) for read, part in relevant.items() if read != sample.value]
            uses += [((name, ""), {sample.value: relevant[sample.value]})] if sample.value in relevant else []
        uses += _uses_in_step(sample, name, relevant)
        for through, parts in uses:
            part = sample.flow(parts)
            if part is None:
                continue
            if part.shape != sample.expected.shape:
                part = part.sum_to_size(sample.expected.shape)
            if not part.isfinite().all() or are_small(part, sample.expected) or are_small(part - sample.expected, part):
                continue
            found[Path(tuple(word for word in through if word))] = part
    return _merged(found) | dict(_own_upstreams(sample))


def _own_upstreams(sample: Sample) -> Iterator[tuple[Path, Tensor]]:
    """Yield what comes to each of several outputs by itself, without what comes back to it from what it goes into."""
    if len(sample.case.upstream) < 2:
        return
    for name, upstream in sample.case.upstream.items():
        part = sample.flow({name: upstream}) if name in sample.plans else None
        if part is None or part.shape != sample.expected.shape or are_small(part, sample.expected):
            continue
        if not are_small(part - sample.expected, part):
            yield Path((name,), is_own=True), part


def _uses_in_step(
    sample: Sample, name: str, relevant: Mapping[str, Tensor]
) -> Iterator[tuple[tuple[str, ...], dict[str, Tensor]]]:
    """Yield each use of a value that one step reads several times, by the operation that reads it."""
    plan, upstream = sample.plans[name], sample.upstream.get(name)
    if upstream is None:
        return
    for read in relevant:
        uses = [(i, p) for i, node in enumerate(plan.nodes) for p, edge in enumerate(node.edges) if edge == read]
        kinds = [plan.nodes[index].kind for index, _ in uses]
        if not 1 < len(uses) <= MOST_USES or len(set(kinds)) < len(kinds):
            continue
        arriving = plan.arriving(upstream)
        for (index, position), kind in zip(uses, kinds, strict=True):
            part = plan.nodes[index].backward(arriving[index])[position]
            if part is not None:
                yield (f"{OPERATIONS.get(kind, kind.lower())} in {name}",), {read: part}


def _merged(paths: dict[Path, Tensor]) -> dict[Path, Tensor]:
    """Join paths with the same gradient: one behind the other, they are one path."""
    merged: list[tuple[list[str], Tensor]] = []
    for path, part in paths.items():
        for names, other in merged:
            if are_equal(part, other):
                # One use of a value that is on this path already has no further name to add.
                names.extend(path.through if len(path.through) == 1 and path.through[0] not in names else ())
                break
        else:
            merged.append((list(path.through), part))
    return {Path(tuple(names)): part for names, part in merged}


def find_scaled(samples: Sequence[Sample]) -> Scaled | None:
    """Return the one path, or the whole, that was multiplied by a number with a name."""
    # What divides by zero in one case can still be named by the others.
    samples = [sample for sample in samples if sample.is_sound]
    if not _are_comparable(samples):
        return None
    first = _most_telling(samples)
    for path, part in {Path(): first.expected, **paths_of(first)}.items():
        parts = _parts(path, samples) if _factor(first, part) is not None else None
        factors = [_factor(*pair) for pair in zip(samples, parts, strict=True)] if parts else [None]
        known = [factor for factor in factors if factor is not None]
        if len(known) < len(factors) or all(factor == 1.0 for factor in known):
            continue
        if all(factor == 0.0 for factor in known):
            return Scaled(path, tuple(known), ("0",))
        names = name_factor(samples, known)
        written_in = None if names else find_written_in(samples, known)
        if names or written_in or not path.through:
            return Scaled(path, tuple(known), names, written_in)
    return None


def find_two_scaled(samples: Sequence[Sample]) -> tuple[Scaled, Scaled] | None:
    """Return two paths that were both multiplied by a number with a name; the rest is as it should be."""
    if not _are_comparable(samples):
        return None
    telling = _most_telling(samples)
    for (first, one), (second, two) in combinations(paths_of(telling).items(), 2):
        ones_parts, twos_parts = None, None
        if _two_factors(telling, one, two) is not None:
            ones_parts, twos_parts = _parts(first, samples), _parts(second, samples)
        if ones_parts and twos_parts:
            factors = [_two_factors(*args) for args in zip(samples, ones_parts, twos_parts, strict=True)]
            known = [factor for factor in factors if factor is not None]
            if len(known) < len(factors):
                continue
            ones, twos = [pair[0] for pair in known], [pair[1] for pair in known]
            named = _name_or_none(samples, ones), _name_or_none(samples, twos)
            if all(named):
                return Scaled(first, tuple(ones), named[0]), Scaled(second, tuple(twos), named[1])
    return None


def _most_telling(samples: Sequence[Sample]) -> Sample:
    """Return the smallest of the wrong cases with more than a few entries: what fails there need not be tried on."""
    return min(samples, key=lambda s: (s.is_correct, s.actual.numel() < 3, s.actual.numel()))


def _are_comparable(samples: Sequence[Sample]) -> bool:
    comparable = all(sample.is_sound and sample.actual.shape == sample.expected.shape for sample in samples)
    return comparable and any(not sample.is_correct for sample in samples)


def _name_or_none(samples: Sequence[Sample], factors: Sequence[float]) -> tuple[str, ...]:
    if all(abs(factor) < 1e-9 for factor in factors):
        return ("0",)
    names = name_factor(samples, factors)
    return () if "1" in names else names


def _parts(path: Path, samples: Sequence[Sample]) -> list[Tensor] | None:
    """Return what comes along a path in every case, or None if there is a case in which it has no such path."""
    if not path.through:
        return [sample.expected for sample in samples]
    parts = [paths_of(sample).get(path) for sample in samples]
    return None if any(part is None for part in parts) else [part for part in parts if part is not None]


def paths_of(sample: Sample) -> dict[Path, Tensor]:
    """Return the paths of a sample, found once."""
    if not sample.kept:
        sample.kept.append(find_paths(sample))
    found: dict[Path, Tensor] = sample.kept[0]
    return found


def _factor(sample: Sample, part: Tensor) -> float | None:
    """Return what a part must be multiplied by to give what the student returned; None if nothing does."""
    size = float(part.square().sum())
    if not size:
        return None
    factor = 1.0 + float(((sample.actual - sample.expected) * part).sum()) / size
    if abs(factor) < 1e-9:
        factor = 0.0
    if abs(factor - 1.0) < 1e-11:
        return 1.0 if sample.is_correct else None
    return factor if sample.is_returned(sample.expected + (factor - 1.0) * part) else None


def _two_factors(sample: Sample, first: Tensor, second: Tensor) -> tuple[float, float] | None:
    columns = torch.stack([first.flatten(), second.flatten()], dim=1)
    gram = columns.T @ columns
    difference = (sample.actual - sample.expected).flatten()
    if float(torch.linalg.det(gram)) <= 1e-9 * float(gram[0, 0] * gram[1, 1]):
        return None
    one, two = (float(c) for c in torch.linalg.solve(gram, columns.T @ difference))
    if sample.actual.numel() < 3 or not sample.is_returned(sample.expected + one * first + two * second):
        return None
    return 1.0 + one, 1.0 + two


def exchanged(sample: Sample) -> Iterator[tuple[Exchanged, Tensor]]:
    """Yield what comes of each path if one value stands in it as a factor in place of another.

    Only what fits at a few entries is yielded, so that a search through all pairs costs next to nothing.
    """
    if sample.actual.shape != sample.expected.shape:
        return
    shape = sample.expected.shape
    factors = _monomials(sample)
    for path, part in {Path(): sample.expected, **paths_of(sample)}.items():
        places = part.abs().flatten().argsort(descending=True, stable=True)[:: max(1, part.numel() // PROBES)]
        places = places[: PROBES + 1]
        whole = part.flatten()[places]
        if not bool((whole != 0).all()):
            places, whole = places[whole != 0], whole[whole != 0]
        if len(places) == 0:
            continue
        ratio = 1.0 + (sample.actual - sample.expected).flatten()[places] / whole
        table = torch.stack([tensor.flatten()[places] for tensor in factors.values()])
        # found / right = ratio, for every pair at once; a right of zero tells nothing.
        gap = (table[:, None] - ratio * table[None, :]).abs()
        fits = (gap <= 1e-8 * (table.abs()[:, None] + (ratio * table[None, :]).abs())).all(dim=2)
        names = list(factors)
        for found, right in fits.nonzero().tolist():
            key = Exchanged(path, names[found], names[right])
            # Squares beside another value fit more than anyone means.
            is_plain = not (names[found] and names[right]) or "²" not in names[found] + names[right]
            if found != right and is_plain:
                scaled = part * factors[names[found]] / factors[names[right]]
                yield key, (sample.expected + (scaled - part)).reshape(shape)


def _monomials(sample: Sample) -> dict[str, Tensor]:
    """Return the values of the forward, and their squares, that can be a factor of the gradient; "" is one."""
    shape = sample.expected.shape
    found = {"": torch.ones(shape, dtype=sample.expected.dtype)}
    for name, value in [*sample.tensors.items(), ("dout", sample.case.dout)]:
        if value.dim() > len(shape) or (name == sample.case.forward.output and value.numel() == 1):
            continue
        try:
            spread = value.expand(shape)
        except MISFIT:
            continue
        if bool((spread == 1).all()):
            continue
        found[name] = spread
        found[f"{name}²"] = spread.square()
    for name, plan in sample.plans.items():
        for node in plan.nodes:
            if node.kind in SLOPES and node.shape == tuple(shape):
                found[f"the slope of {OPERATIONS[node.kind]} in {name}"] = _slope(node, shape)
    return found


def _slope(node: Node, shape: torch.Size) -> Tensor:
    slope = node.backward(torch.ones(shape, dtype=torch.float64))[0]
    assert slope is not None
    return slope
