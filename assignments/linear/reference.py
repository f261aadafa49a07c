"""A linear layer."""


def linear_inputs(rng, N, D, M):
    return {"x": rng.normal(N, D), "W": rng.normal(D, M), "b": rng.normal(M)}


def linear(t):
    t.out = t.x @ t.W + t.b
