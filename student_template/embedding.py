"""An embedding table: the backward pass of looking up rows."""

# ruff: noqa: F401, F841, RUF059, RUF100

import torch


def embedding_backward(dout, X, C):
    """Backward of out = C[X].

    Forward, entry by entry: out[n, t, e] = C[X[n, t], e].

    Given:
    - dout: gradient of out, of shape (N, T, E)
    - X: tokens 0, ..., V - 1, int64, of shape (N, T); a token may occur many times, or never
    - C: the table, one row for each token, of shape (V, E)

    Return:
    - dC: gradient of C, of shape (V, E)
    """
    raise NotImplementedError("embedding_backward is not written yet")
