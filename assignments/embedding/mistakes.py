"""Wrong gradients that people write for an embedding. Each docstring is what the student is told."""

import torch

# embedding_backward: out = C[X], C (V, E), X (N, T)


# dC[X] += dout gives the same numbers, so one mistake stands for both slips.
def embedding_backward__dC__overwritten(dout, X, C):
    """You wrote dout into dC by index, with = or +=. A repeated token then counts once, and its uses should add up."""
    table = torch.zeros_like(C)
    table[X] = dout
    return table


def embedding_backward__dC__first_position(dout, X, C):
    """You used the first position of each row only. The forward looks up every position, and each sends a gradient."""
    return torch.zeros_like(C).index_put((X[:, 0],), dout[:, 0], accumulate=True)


def embedding_backward__dC__last_position(dout, X, C):
    """You used the last position of each row only. The forward looks up every position, and each sends a gradient."""
    return torch.zeros_like(C).index_put((X[:, -1],), dout[:, -1], accumulate=True)


def embedding_backward__dC__averaged(dout, X, C):
    """You divided by the number of rows of X. The forward takes no mean, so the uses of a token add up in full."""
    return torch.zeros_like(C).index_put((X,), dout / X.shape[0], accumulate=True)


def embedding_backward__dC__averaged_per_token(dout, X, C):
    """You took the mean over the places of each token. Every use moves the output by itself, so the uses add up."""
    counts = torch.bincount(X.flatten(), minlength=C.shape[0])
    return torch.zeros_like(C).index_put((X,), dout / counts[X].unsqueeze(-1), accumulate=True)


def embedding_backward__dC__same_for_all(dout, X, C):
    """You gave every used token the sum of all of dout. A token receives only what belongs to its own places in X."""
    table = torch.zeros_like(C)
    table[X] = dout.sum(dim=(0, 1))
    return table


def embedding_backward__dC__not_collected(dout):
    """You returned the upstream gradient as it is. A gradient has the shape of its value, one row for each token."""
    return dout.clone()


def embedding_backward__dC__off_by_one(dout, X, C):
    """Your rows are shifted by one. Tokens count from 0, and token 0 has row 0 of C."""
    return torch.zeros_like(C).index_put((X - 1,), dout, accumulate=True)


def embedding_backward__dC__axes_mixed(dout, X, C):
    """You reshaped dout with its last two axes exchanged. A reshape keeps the numbers in order, so rows get mixed."""
    N, T, E = dout.shape
    return torch.zeros_like(C).index_put((X,), dout.reshape(N, E, T).transpose(1, 2), accumulate=True)


def embedding_backward__dC__upstream_forgotten(dout, X, C):
    """You counted how often each token occurs. Each use sends back its own row of dout, not ones."""
    return torch.zeros_like(C).index_put((X,), torch.ones_like(dout), accumulate=True)


def embedding_backward__dC__padding(dout, X, C):
    """You left out token 0, as if it stood for padding. Here it is a token like any other, and has a gradient."""
    return torch.zeros_like(C).index_put((X,), dout * (X > 0).unsqueeze(-1), accumulate=True)


def embedding_backward__dC__times_the_vectors(dout, X, C):
    """You multiplied by the vectors that were looked up. The forward copies them, and a copy has slope one."""
    return torch.zeros_like(C).index_put((X,), dout * C[X], accumulate=True)


def embedding_backward__dC__transposed(dout, X, C):
    """Your result is turned over. C has one row for each token and one column for each entry of a vector."""
    turned = torch.zeros_like(C).T.contiguous()
    return turned.index_add(1, X.flatten(), dout.flatten(0, 1).T)
