"""What flags weigh: suspicions for an instructor, which change no score. Without torch, as a batch's own process is."""

from __future__ import annotations

from collections.abc import Mapping

# How much a flag says: 3 is hardly ever honest, 2 now and then, 1 often, and 0 is a note that accuses nobody.
# docs/flags.md has them all.
WEIGHTS: Mapping[str, int] = {
    "other_with_new_numbers": 3,
    "backward_operator": 3,
    "forward_mode": 3,
    "autograd_engine": 3,
    "autograd_graph": 3,
    "autograd_between": 3,
    "autograd_with_probes": 3,
    "node_kept": 3,
    "torch_inside": 3,
    "python_inside": 3,
    "obfuscated": 3,
    "log_switched_off": 3,
    "traced": 3,
    "gradient_tracking": 3,
    "replaced": 2,
    "complex_numbers": 2,
    "numerical": 2,
    "forward_repeated": 2,
    "nondeterministic": 2,
    "log_full": 1,
    "not_called_again": 1,
    "requires_grad": 1,
    "mutated_input": 1,
    "built_while_loading": 0,
}


def weight(kind: str) -> int:
    """Return how much a kind of flag says; one that is not known, which only a child can have made up, says most."""
    return WEIGHTS.get(kind, max(WEIGHTS.values()))
