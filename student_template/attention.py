"""Attention: the backward pass step by step, in one function, and between two sequences.

B sequences, T queries, S positions that the queries attend to, queries and keys of size d, values of size v.
"""

# ruff: noqa: F401, F841, RUF059, RUF100

import math


def attention_steps_backward(dout, cache):
    """Backward of attention, with the gradient of every step.

    Forward, entry by entry:
    scores[b, t, s] = sum over i of Q[b, t, i] * K[b, s, i]
    scaled[b, t, s] = scores[b, t, s] / sqrt(d)
    weights[b, t, s] = exp(scaled[b, t, s]) / (sum over r of exp(scaled[b, t, r]))
    out[b, t, j] = sum over s of weights[b, t, s] * V[b, s, j]

    Given:
    - dout: gradient of out, of shape (B, T, v)
    - cache: every value of the forward by name. Q (B, T, d), K (B, S, d), V (B, S, v);
      scores, scaled, weights (B, T, S); out (B, T, v)

    Return, in this order:
    - dV: gradient of V, of shape (B, S, v)
    - dweights: gradient of weights, of shape (B, T, S)
    - dscaled: gradient of scaled, of shape (B, T, S)
    - dscores: gradient of scores, of shape (B, T, S)
    - dQ: gradient of Q, of shape (B, T, d)
    - dK: gradient of K, of shape (B, S, d)
    """
    Q, K, V = cache.Q, cache.K, cache.V
    weights = cache.weights
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dV = None  # (B, S, v)
    dweights = None  # (B, T, S)
    dscaled = None  # (B, T, S)
    dscores = None  # (B, T, S)
    dQ = None  # (B, T, d)
    dK = None  # (B, S, d)
    return dV, dweights, dscaled, dscores, dQ, dK


def attention_backward(dout, Q, K, V, weights):
    """Backward of attention, out = softmax(Q K^T / sqrt(d)) V.

    Forward, entry by entry:
    weights[b, t, s] = softmax over s of (sum over i of Q[b, t, i] * K[b, s, i]) / sqrt(d)
    out[b, t, j] = sum over s of weights[b, t, s] * V[b, s, j]

    Given:
    - dout: gradient of out, of shape (B, T, v)
    - Q: the queries, of shape (B, T, d)
    - K: the keys, of shape (B, S, d)
    - V: the values, of shape (B, S, v)
    - weights: what the softmax returned in the forward, of shape (B, T, S)

    Return, in this order:
    - dQ: gradient of Q, of shape (B, T, d)
    - dK: gradient of K, of shape (B, S, d)
    - dV: gradient of V, of shape (B, S, v)
    """
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dQ = None  # (B, T, d)
    dK = None  # (B, S, d)
    dV = None  # (B, S, v)
    return dQ, dK, dV


def cross_attention_backward(dout, cache):
    """Backward of cross-attention: x asks, and context answers.

    Forward, with matrices over the last two axes:
    Q = x Wq, K = context Wk, V = context Wv
    weights = softmax over the positions of Q K^T / sqrt(d)
    att = weights V, out = att Wo

    Given:
    - dout: gradient of out, of shape (B, T, M)
    - cache: every value of the forward by name. x (B, T, E), context (B, S, F);
      Wq (E, d), Wk (F, d), Wv (F, v), Wo (v, M); Q (B, T, d), K (B, S, d), V (B, S, v);
      scores, scaled, weights (B, T, S); att (B, T, v); out (B, T, M)

    Return, in this order:
    - dx: gradient of x, of shape (B, T, E)
    - dcontext: gradient of context, of shape (B, S, F)
    - dWq: gradient of Wq, of shape (E, d)
    - dWk: gradient of Wk, of shape (F, d)
    - dWv: gradient of Wv, of shape (F, v)
    - dWo: gradient of Wo, of shape (v, M)
    """
    x, context = cache.x, cache.context
    Wq, Wk, Wv, Wo = cache.Wq, cache.Wk, cache.Wv, cache.Wo
    Q, K, V = cache.Q, cache.K, cache.V
    weights, att = cache.weights, cache.att
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (B, T, E)
    dcontext = None  # (B, S, F)
    dWq = None  # (E, d)
    dWk = None  # (F, d)
    dWv = None  # (F, v)
    dWo = None  # (v, M)
    return dx, dcontext, dWq, dWk, dWv, dWo
