"""Attention of T queries to S positions, and cross-attention between two sequences."""

import math


def attention_inputs(rng, B, T, S, d, v, sharpness=1.0):
    Q = rng.normal(B, T, d)
    Q[:, 0] *= sharpness  # a sharp query has one weight near one, and the others near zero
    return {"Q": Q, "K": rng.normal(B, S, d), "V": rng.normal(B, S, v)}


def attention(t):
    d = t.Q.shape[-1]
    t.scores = t.Q @ t.K.transpose(1, 2)
    t.scaled = t.scores / math.sqrt(d)
    t.weights = t.scaled.softmax(dim=2)
    t.out = t.weights @ t.V


def cross_attention_inputs(rng, B, T, S, E, F, d, v, M):
    return {
        "x": rng.normal(B, T, E),
        "context": rng.normal(B, S, F),
        # Scaled so that queries, keys and values are of order one.
        "Wq": rng.normal(E, d) / math.sqrt(E),
        "Wk": rng.normal(F, d) / math.sqrt(F),
        "Wv": rng.normal(F, v) / math.sqrt(F),
        "Wo": rng.normal(v, M) / math.sqrt(v),
    }


def cross_attention(t):
    t.Q = t.x @ t.Wq
    t.K = t.context @ t.Wk
    t.V = t.context @ t.Wv
    d = t.Q.shape[-1]
    t.scores = t.Q @ t.K.transpose(1, 2)
    t.scaled = t.scores / math.sqrt(d)
    t.weights = t.scaled.softmax(dim=2)
    t.att = t.weights @ t.V
    t.out = t.att @ t.Wo
