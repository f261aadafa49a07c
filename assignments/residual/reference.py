"""One residual block: the input, plus what a tanh layer makes of it."""


def residual_inputs(rng, N, D):
    # W is scaled so that h_preact is of order one: tanh bends there, and a wrong slope shows.
    return {"x": rng.normal(N, D), "W": rng.normal(D, D) / D**0.5, "b": 0.5 * rng.normal(D)}


def residual(t):
    t.h_preact = t.x @ t.W + t.b
    t.h = t.h_preact.tanh()
    t.out = t.x + t.h
