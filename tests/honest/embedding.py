"""Right answers for `embedding`, written in other ways than the solution."""

import torch
from torch.nn.functional import one_hot


def embedding_backward__loop(dout, X, C):
    dC = torch.zeros_like(C)
    for k in range(X.shape[0]):
        for j in range(X.shape[1]):
            ix = X[k, j]
            dC[ix] += dout[k, j]
    return dC


def embedding_backward__one_hot(dout, X, C):
    rows = one_hot(X, num_classes=C.shape[0]).to(C.dtype)
    return torch.einsum("ntv,nte->ve", rows, dout)


def embedding_backward__one_hot_matmul(dout, X, C):
    V, E = C.shape
    return one_hot(X.view(-1), V).double().T @ dout.view(-1, E)


def embedding_backward__index_put(dout, X, C):
    return torch.zeros(C.shape, dtype=C.dtype).index_put_((X,), dout, accumulate=True)


def embedding_backward__scatter_add(dout, X, C):
    index = X.reshape(-1, 1).expand(-1, C.shape[1])
    return torch.zeros_like(C).scatter_add_(0, index, dout.reshape(-1, C.shape[1]))


def embedding_backward__masks(dout, X, C):
    return torch.stack([dout[token == X].sum(0) for token in range(C.shape[0])])
