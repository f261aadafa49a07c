"""A recurrent network over a sequence, and one step of an LSTM."""

import torch


def rnn_inputs(rng, N, T, D, H):
    return {
        "x": rng.normal(N, T, D),
        "h0": rng.normal(N, H),
        # Scaled so that tanh is neither a line nor flat.
        "Wx": 0.7 * rng.normal(D, H) / D**0.5,
        "Wh": 0.7 * rng.normal(H, H) / H**0.5,
        "b": 0.3 * rng.normal(H),
    }


def rnn(t):
    T = t.x.shape[1]
    for k in range(T):
        # h1 is made of the first input and h0, and so on.
        setattr(t, f"h{k + 1}", (t.x[:, k] @ t.Wx + getattr(t, f"h{k}") @ t.Wh + t.b).tanh())
    t.h = torch.stack([getattr(t, f"h{k + 1}") for k in range(T)], dim=1)


def lstm_step_inputs(rng, N, D, H):
    return {
        "x": rng.normal(N, D),
        "h_prev": rng.normal(N, H).tanh(),
        "c_prev": rng.normal(N, H),
        "Wx": rng.normal(D, 4 * H) / D**0.5,
        "Wh": rng.normal(H, 4 * H) / H**0.5,
        "b": 0.5 * rng.normal(4 * H),
    }


def lstm_step(t):
    H = t.h_prev.shape[1]
    t.pre = t.x @ t.Wx + t.h_prev @ t.Wh + t.b
    t.i = t.pre[:, :H].sigmoid()
    t.f = t.pre[:, H : 2 * H].sigmoid()
    t.o = t.pre[:, 2 * H : 3 * H].sigmoid()
    t.g = t.pre[:, 3 * H :].tanh()
    t.c = t.f * t.c_prev + t.i * t.g
    t.h = t.o * t.c.tanh()
