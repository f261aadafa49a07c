# handed in as: linear.py
# linear_backward:
#   outcome: missing
#   message: linear_backward is defined in no file of the submission; is linear_bakward meant to be it?
#   score: 0

"""A linear layer: backward to its input, its weights and its bias."""


def linear_bakward(dout, x, W):
    """Pass the upstream gradient back through a linear layer.

    The forward, for row n and output m:
        out[n, m] = sum over d of x[n, d] * W[d, m], plus b[m]

    You are given:
        dout: (N, M), the upstream gradient of out
        x: (N, D)
        W: (D, M)

    You return:
        dx: (N, D)
        dW: (D, M)
        db: (M,)
    """
    # BEGIN SOLUTION
    # In a product of matrices each factor gets dout times the other factor, transposed.
    # The shapes leave only one way to write it.
    dx = dout @ W.T  # (N, D)
    # The product sums over the rows: every row used the same weights.
    dW = x.T @ dout  # (D, M)
    # b was added to every row, so its gradient sums over the rows.
    db = dout.sum(dim=0)  # (M,)
    # END SOLUTION
    return dx, dW, db
