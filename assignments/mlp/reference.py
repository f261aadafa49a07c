"""The character-level MLP of the makemore lesson: embedding, batch norm, tanh, softmax and cross-entropy."""

from functools import cache
from pathlib import Path

import torch

WORDS = """
emma olivia ava isabella sophia charlotte mia amelia harper
evelyn abigail emily elizabeth mila ella avery sofia camila
aria scarlett victoria madison luna grace chloe penelope layla
riley zoey nora quinn josephine willow faith alexa katherine
""".split()  # noqa: SIM905 # names read best as plain text
CONTEXT = 3


def _dataset(words, order):
    """Return the contexts X and the next characters Y of all words, and the size of the vocabulary."""
    vocabulary = [".", *sorted(set("".join(words)))]
    index = {character: i for i, character in enumerate(vocabulary)}
    X, Y = [], []
    for i in order:
        context = [0] * CONTEXT
        for character in words[i] + ".":
            X.append(context)
            Y.append(index[character])
            context = [*context[1:], index[character]]
    return torch.tensor(X), torch.tensor(Y), len(vocabulary)


def mlp_inputs(rng, N, n_embed, n_hidden, words, gap=0.0, tiny=False):
    # Rows follow each other as in the words. The first one is "...", so a token repeats within a row.
    X, Y, V = _dataset(WORDS[:words], rng.permutation(words).tolist())
    X, Y = X[:N], Y[:N]
    fan_in = CONTEXT * n_embed
    W1 = rng.normal(fan_in, n_hidden) * (5 / 3) / fan_in**0.5
    bn_gain = rng.normal(n_hidden) * 0.1 + 1.0
    b2 = rng.normal(V) * 0.1
    if tiny:
        # A variance about as large as the 1e-5 that batch norm adds to it. The gain is small as well:
        # gradients far above the others would make the rounding of their sums larger than atol.
        W1[:, 0] *= 0.002
        bn_gain[0] *= 0.01
    b2[Y[0]] += gap
    return {
        "X": X,
        "Y": Y,
        "C": rng.normal(V, n_embed),
        "W1": W1,
        "b1": rng.normal(n_hidden) * 0.1,
        "bn_gain": bn_gain,
        "bn_bias": rng.normal(n_hidden) * 0.1,
        "W2": rng.normal(n_hidden, V) * 0.1,
        "b2": b2,
    }


def mlp(t):
    n = len(t.Y)
    # embedding and first linear layer
    t.emb = t.C[t.X]
    t.emb_cat = t.emb.view(n, -1)
    t.h_prebn = t.emb_cat @ t.W1 + t.b1
    # batch norm
    t.bn_mean = t.h_prebn.sum(dim=0, keepdim=True) / n
    t.bn_diff = t.h_prebn - t.bn_mean
    t.bn_diff_sq = t.bn_diff**2
    t.bn_var = t.bn_diff_sq.sum(dim=0, keepdim=True) / n
    t.bn_var_inv = (t.bn_var + 1e-5) ** -0.5
    t.bn_raw = t.bn_diff * t.bn_var_inv
    t.h_preact = t.bn_gain * t.bn_raw + t.bn_bias
    # tanh and second linear layer
    t.h = t.h_preact.tanh()
    t.logits = t.h @ t.W2 + t.b2
    # softmax and cross-entropy
    t.logit_maxes = t.logits.max(dim=1, keepdim=True).values
    t.norm_logits = t.logits - t.logit_maxes
    t.counts = t.norm_logits.exp()
    t.counts_sum = t.counts.sum(dim=1, keepdim=True)
    t.counts_sum_inv = t.counts_sum**-1
    t.probs = t.counts * t.counts_sum_inv
    t.logprobs = t.probs.log()
    t.loss = -t.logprobs[range(n), t.Y].mean()


# Training, for `grade train`: on names, with sizes that none of the cases has, so that a size in the code shows.
NAMES = (Path(__file__).parent / "names.txt").read_text(encoding="utf-8").split()
CHARACTERS = "." + "".join(sorted(set("".join(NAMES))))
LONGEST = max(map(len, NAMES))


def mlp_training(rng):
    """Return how it is trained, as in the lesson, and the parameters that it begins with."""
    V, E, H = len(CHARACTERS), 8, 100
    fan_in = CONTEXT * E
    parameters = {
        "C": rng.normal(V, E),
        "W1": rng.normal(fan_in, H) * (5 / 3) / fan_in**0.5,
        "b1": rng.normal(H) * 0.1,
        "bn_gain": rng.normal(H) * 0.1 + 1.0,
        "bn_bias": rng.normal(H) * 0.1,
        "W2": rng.normal(H, V) * 0.1,
        "b2": rng.normal(V) * 0.1,
    }
    plan = {"steps": 1000, "rates": [0.1, 0.01], "characters": CHARACTERS, "longest": LONGEST}
    return {**plan, "parameters": parameters}


@cache
def _examples():
    """Return contexts X and next characters Y of all names."""
    X, Y = [], []
    for name in NAMES:
        context = [0] * CONTEXT
        for character in name + ".":
            X.append(context)
            Y.append(CHARACTERS.index(character))
            context = [*context[1:], Y[-1]]
    return torch.tensor(X), torch.tensor(Y)


def mlp_batch(rng):
    """Return the data of one step."""
    X, Y = _examples()
    rows = rng.integers(0, len(X), 48)
    return {"X": X[rows], "Y": Y[rows]}


def mlp_next(run, beginnings):
    """Return a row of logits for each list of characters: `run` gives the forward's values on some data.

    Batch norm wants the mean and spread of the data: so what has begun is a few rows below all of the names.
    """
    X, Y = _examples()
    rows = torch.tensor([([0] * CONTEXT + beginning)[-CONTEXT:] for beginning in beginnings])
    data = {"X": torch.cat([X, rows]), "Y": torch.cat([Y, torch.zeros_like(rows[:, 0])])}
    return run(data)["logits"][-len(rows) :]
