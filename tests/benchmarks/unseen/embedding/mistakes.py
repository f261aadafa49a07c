"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def embedding_backward__dC__counted(dout, X, C):
    """Every token's row is the number of its uses times the last gradient."""
    found = torch.zeros_like(C)
    counts = torch.bincount(X.flatten(), minlength=len(C))[:, None]
    found[X] = dout
    return found * counts


def embedding_backward__dC__rows_only(dout, X, C):
    """Summed over the context first, and given to the first token of the row."""
    return torch.zeros_like(C).index_add(0, X[:, 0], dout.sum(1))


def embedding_backward__dC__mean_over_context(dout, X, C):
    """Divided by the length of the context."""
    return torch.zeros_like(C).index_put((X,), dout, accumulate=True) / X.shape[1]


def embedding_backward__dC__first_example(dout, X, C):
    """The loop ends after the first example."""
    return torch.zeros_like(C).index_put((X[:1],), dout[:1], accumulate=True)


def embedding_backward__dC__last_example_missing(dout, X, C):
    """The loop is one too short."""
    return torch.zeros_like(C).index_put((X[:-1],), dout[:-1], accumulate=True)


def embedding_backward__dC__negated(dout, X, C):
    """A minus."""
    return -torch.zeros_like(C).index_put((X,), dout, accumulate=True)


def embedding_backward__dC__on_top_of_C(dout, X, C):
    """The sum starts from C, not from zeros."""
    return C.index_put((X,), dout, accumulate=True)


def embedding_backward__dC__ones_start(dout, X, C):
    """The sum starts from ones."""
    return torch.ones_like(C).index_put((X,), dout, accumulate=True)
