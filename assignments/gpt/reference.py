"""GPT: two transformer blocks between a table of tokens and the same table again."""

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it

from assignments.layernorm.reference import layernorm
from assignments.mlp.reference import CHARACTERS, LONGEST, NAMES
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


# Training, for `grade train`: on names, with sizes that none of the cases has, so that a size in the code shows.
HEADS = 2
T_NAMES = 1 + LONGEST  # what begins a name, and its characters


def gpt_training(rng):
    """Return how it is trained, and the parameters that it begins with: every gain is 1, and every bias 0."""
    V, E, hidden = len(CHARACTERS), HEADS * 8, 48
    parameters = {
        "wte": 0.1 * rng.normal(V, E),
        "wpe": 0.1 * rng.normal(T_NAMES + 1, E),
        **{
            f"{name}_{k}": _at_first(name, value)
            for k in range(2)
            for name, value in block_parameters(rng, E, hidden).items()
        },
        "lnf_gain": torch.ones(E, dtype=torch.float64),
        "lnf_bias": torch.zeros(E, dtype=torch.float64),
    }
    plan = {"steps": 300, "rates": [0.3, 0.1], "characters": CHARACTERS, "longest": LONGEST}
    return {**plan, "parameters": parameters}


def _at_first(name, value):
    if name.endswith("gain"):
        return torch.ones_like(value)
    return torch.zeros_like(value) if value.dim() == 1 else value


def gpt_batch(rng):
    """Return the data of one step: whole names, and nothing to predict behind the end of each."""
    chosen = [NAMES[i] for i in rng.integers(0, len(NAMES), 24).tolist()]
    return _data([[CHARACTERS.index(character) for character in name] for name in chosen])


def _data(names):
    X = torch.zeros(len(names), T_NAMES, dtype=torch.int64)
    Y = torch.full_like(X, -1)
    for row, name in enumerate(names):
        X[row, 1 : len(name) + 1] = torch.tensor(name)
        Y[row, : len(name) + 1] = torch.tensor([*name, 0])
    causal = torch.ones(T_NAMES, T_NAMES).tril().bool()
    return {"X": X, "Y": Y, "ignore_index": -1, "causal": causal, "heads": HEADS}


def gpt_next(run, beginnings):
    """Return a row of logits for each list of characters: `run` gives the forward's values on some data."""
    places = [len(beginning) for beginning in beginnings]
    return run(_data(beginnings))["logits"][range(len(places)), places]
