"""Names as inputs of the MLP of the lesson; its forward is that of the assignment `mlp`."""

from pathlib import Path

import torch

CONTEXT = 3
NAMES = (Path(__file__).parent / "names.txt").read_text(encoding="utf-8").split()


def read_examples(names):
    """Return contexts X, next characters Y, and the number of characters; "." is character 0, before and after."""
    characters = [".", *sorted(set("".join(names)))]
    X, Y = [], []
    for name in names:
        context = [0] * CONTEXT
        for character in name + ".":
            X.append(context)
            Y.append(characters.index(character))
            context = [*context[1:], Y[-1]]
    return torch.tensor(X), torch.tensor(Y), len(characters)


def mlp_inputs(rng, N, E, H, names, tiny_columns=0, gap=0.0):
    order = rng.permutation(names).tolist()
    X, Y, V = read_examples([NAMES[i] for i in order])
    W1 = rng.normal(CONTEXT * E, H) / (CONTEXT * E) ** 0.5
    # A column of h_prebn with a variance of about 1e-5, like the number that the forward adds to it.
    W1[:, :tiny_columns] *= 0.003
    b2 = 0.1 * rng.normal(V)
    b2[0] += gap  # "." is then nearly certain
    return {
        "X": X[:N],
        "Y": Y[:N],
        "C": rng.normal(V, E),
        "W1": W1,
        "b1": 0.1 * rng.normal(H),
        # Not 1 and 0, as they are in training at first: a gain or a bias that is left out would go unseen.
        "bn_gain": 1.0 + 0.5 * rng.normal(H),
        "bn_bias": 0.5 * rng.normal(H),
        "W2": rng.normal(H, V) / H**0.5,
        "b2": b2,
    }
