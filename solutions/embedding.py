"""An embedding table: the backward pass of looking up rows."""

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
    # BEGIN SOLUTION
    V, E = C.shape
    dC = torch.zeros(V, E, dtype=C.dtype)  # (V, E), a token that never occurs keeps its zeros
    tokens = X.reshape(-1)  # (N T,)
    rows = dout.reshape(-1, E)  # (N T, E)
    # For every place i: dC[tokens[i]] += rows[i]. The forward copied a row of C into each of its
    # places, so their gradients add up. Plain indexing would keep only one of the places.
    dC.index_add_(0, tokens, rows)
    return dC
    # END SOLUTION
