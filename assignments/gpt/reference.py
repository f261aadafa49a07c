"""GPT: two transformer blocks between a table of tokens and the same table again."""

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it

from assignments.layernorm.reference import layernorm
from assignments.transformer_block.reference import block_parameters, transformer_block

SHARED = ("causal", "heads")


class Part:
    """What a layer sees of the whole: its own names, each of which stands for another one there."""

    def __init__(self, t, name):
        self.__dict__.update(t=t, name=name)

    def __getattr__(self, name):
        return getattr(self.t, self.name(name))

    def __setattr__(self, name, value):
        setattr(self.t, self.name(name), value)


def in_block(number):
    """Return how a block's names are called in the whole: x_0 goes into the first, x_1 goes on from it."""

    def called(name):
        if name in SHARED:
            return name
        return f"x_{number + 1}" if name == "out" else f"{name}_{number}"

    return called


def in_final_norm(name):
    return {"x": "x_2", "out": "lnf"}.get(name, name.replace("ln_", "lnf_"))


def gpt_inputs(rng, B, T, heads, d, hidden, vocabulary, positions, ignored):
    E = heads * d
    Y = rng.integers(0, vocabulary, B, T)
    Y.view(-1)[rng.permutation(B * T)[:ignored]] = -1
    blocks = [block_parameters(rng, E, hidden) for _ in range(2)]
    return {
        "X": rng.integers(0, vocabulary, B, T),
        "Y": Y,
        "ignore_index": -1,
        "causal": torch.ones(T, T).tril().bool(),
        "heads": heads,
        "wte": 0.7 * rng.normal(vocabulary, E),
        "wpe": 0.7 * rng.normal(positions, E),
        **{f"{name}_{k}": value for k, block in enumerate(blocks) for name, value in block.items()},
        "lnf_gain": 1 + 0.5 * rng.normal(E),
        "lnf_bias": 0.5 * rng.normal(E),
    }


def gpt(t):
    T = t.X.shape[1]
    t.x_0 = t.wte[t.X] + t.wpe[:T]
    transformer_block(Part(t, in_block(0)))
    transformer_block(Part(t, in_block(1)))
    layernorm(Part(t, in_final_norm))
    t.logits = t.lnf @ t.wte.T
    t.loss = F.cross_entropy(t.logits.flatten(0, 1), t.Y.flatten(), ignore_index=t.ignore_index)
