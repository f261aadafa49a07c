"""The proof of an assignment as a table that an author can act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.authoring.margins import Margin, Nearest, powers
from grader.authoring.proof import Proof

HEAD = ("gradient", "points", "right", "trial", "", "mistake", "")
_LEFT = (0, 4, 6)


def margins_table(proof: Proof) -> Iterator[str]:
    """Yield a head, a line for each function, and below it one for each gradient with its margins.

    `right` is how far right answers lie within the tolerance, `trial` and `mistake` how far wrong ones lie
    beyond it, as powers of ten of the tolerance.
    """
    rows = [(margin.function, _cells(margin)) for margin in proof.margins]
    if not rows:
        return
    widths = [max(len(cells[column]) for cells in (HEAD, *(cells for _, cells in rows))) for column in range(len(HEAD))]
    yield _line(HEAD, widths)
    function = ""
    for name, cells in rows:
        if name != function:
            function = name
            yield f"  {function}"
        yield _line(cells, widths)


def summary(proofs: Sequence[Proof]) -> Iterator[str]:
    """Yield what is nearest to a tolerance on either side over all assignments, and the number of mistakes."""
    margins = [(proof.name, margin) for proof in proofs for margin in proof.margins]
    mistakes = sum(proof.mistakes or 0 for proof in proofs)
    count = len({name for name, _ in margins})
    assignments = f"{count} assignment{'' if count == 1 else 's'}"
    yield f"{mistakes} mistakes and {len(margins)} gradients in {assignments}, each on ten seeds."
    right = [(margin.right, name, margin) for name, margin in margins if margin.right]
    if right:
        yield _nearest("right answer", *max(right, key=lambda one: one[0].excess))
    wrong = [(margin.wrong, name, margin) for name, margin in margins if margin.wrong]
    if wrong:
        yield _nearest("wrong answer", *min(wrong, key=lambda one: one[0].excess))
    of_bank = [(margin.mistake, name, margin) for name, margin in margins if margin.mistake]
    if of_bank:
        yield _nearest("mistake", *min(of_bank, key=lambda one: one[0].excess))


def _nearest(kind: str, nearest: Nearest, assignment: str, margin: Margin) -> str:
    place = f"{margin.gradient} of {margin.function} in {assignment}"
    far = powers(nearest.excess) if kind == "right answer" else _beyond(nearest)
    return f"nearest {kind:12}  {far if far.isalpha() else f'{far} of the tolerance'}: {nearest.name}, for {place}"


def _cells(margin: Margin) -> tuple[str, ...]:
    right, trial, mistake = margin.right, margin.trial, margin.mistake
    return (
        margin.gradient,
        f"{margin.points:g}",
        powers(right.excess if right else None),
        _beyond(trial),
        trial.name if trial else "",
        _beyond(mistake),
        mistake.name if mistake else "",
    )


def _beyond(wrong: Nearest | None) -> str:
    return "passes" if wrong and wrong.excess == 0.0 else powers(wrong.excess if wrong else None)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if column in _LEFT else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return ("    " + "  ".join(padded)).rstrip()
