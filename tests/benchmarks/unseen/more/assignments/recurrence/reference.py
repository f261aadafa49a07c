"""A recurrent layer."""

import torch


def rnn_inputs(rng, N, T, D, H):
    return {
        "x": rng.normal(N, T, D),
        "h0": rng.normal(N, H),
        "Wx": rng.normal(D, H) / D**0.5,
        "Wh": rng.normal(H, H) / H**0.5,
        "b": rng.normal(H) * 0.1,
    }


def rnn(t):
    hidden, states = t.h0, []
    x, Wx, Wh, b = t.x, t.Wx, t.Wh, t.b
    for step in range(x.shape[1]):
        hidden = (x[:, step] @ Wx + hidden @ Wh + b).tanh()
        states.append(hidden)
    t.h = torch.stack(states, dim=1)
