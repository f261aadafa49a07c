"""Primitives: the backward pass of each building block.

Every function is given dout, the gradient of its output, and returns the gradients of its inputs.
A gradient has the shape of its value.
"""

import torch


def add_backward(dout):
    """Backward of out = a + b.

    Forward, entry by entry: out[n, d] = a[n, d] + b[n, d].

    Given:
    - dout: gradient of out, of shape (N, D)

    Return, in this order:
    - da: gradient of a, of shape (N, D)
    - db: gradient of b, of shape (N, D)
    """
    # BEGIN SOLUTION
    # A sum has slope one towards each term. Copies, so that a later += on one leaves the other alone.
    da = dout.clone()  # (N, D)
    db = dout.clone()  # (N, D)
    # END SOLUTION
    return da, db


def broadcast_add_backward(dout, a, b):
    """Backward of out = a + b, where every row of a receives the same b.

    Forward, entry by entry: out[n, d] = a[n, d] + b[d].

    Given:
    - dout: gradient of out, of shape (N, D)
    - a: of shape (N, D)
    - b: of shape (D,)

    Return, in this order:
    - da: gradient of a, of shape (N, D)
    - db: gradient of b, of shape (D,)
    """
    # BEGIN SOLUTION
    da = dout.clone()  # (N, D)
    # The forward copies b into N rows, so the gradients of the N copies add up.
    db = dout.sum(dim=0)  # (D,)
    # The cheapest check there is: a gradient has the shape of its value.
    assert da.shape == a.shape
    assert db.shape == b.shape
    # END SOLUTION
    return da, db


def multiply_backward(dout, a, b):
    """Backward of out = a * b.

    Forward, entry by entry: out[n, d] = a[n, d] * b[n, d].

    Given:
    - dout: gradient of out, of shape (N, D)
    - a: of shape (N, D)
    - b: of shape (N, D)

    Return, in this order:
    - da: gradient of a, of shape (N, D)
    - db: gradient of b, of shape (N, D)
    """
    # BEGIN SOLUTION
    # The slope towards one factor is the other factor.
    da = dout * b  # (N, D)
    db = dout * a  # (N, D)
    # END SOLUTION
    return da, db


def matmul_backward(dout, a, b):
    """Backward of out = a @ b.

    Forward, entry by entry: out[n, m] = sum over k of a[n, k] * b[k, m].

    Given:
    - dout: gradient of out, of shape (N, M)
    - a: of shape (N, K)
    - b: of shape (K, M)

    Return, in this order:
    - da: gradient of a, of shape (N, K)
    - db: gradient of b, of shape (K, M)
    """
    # BEGIN SOLUTION
    # a[n, k] meets b[k, m] in every out[n, m]: da[n, k] = sum over m of dout[n, m] * b[k, m].
    da = dout @ b.T  # (N, K)
    # b[k, m] meets a[n, k] in every out[n, m]: db[k, m] = sum over n of a[n, k] * dout[n, m].
    db = a.T @ dout  # (K, M)
    # END SOLUTION
    return da, db


def reuse_backward(dout, a, b):
    """Backward of out = a * b + a. The forward uses a twice.

    Forward, entry by entry: out[n, d] = a[n, d] * b[n, d] + a[n, d].

    Given:
    - dout: gradient of out, of shape (N, D)
    - a: of shape (N, D)
    - b: of shape (N, D)

    Return, in this order:
    - da: gradient of a, of shape (N, D)
    - db: gradient of b, of shape (N, D)
    """
    # BEGIN SOLUTION
    # a is used twice, in the product and in the sum, and two uses add.
    da = dout * b  # (N, D)
    da += dout
    # b is in the product only.
    db = dout * a  # (N, D)
    # END SOLUTION
    return da, db


def sum_backward(dout, x):
    """Backward of out = x.sum(dim=1, keepdim=True).

    Forward, entry by entry: out[n, 0] = sum over d of x[n, d].

    Given:
    - dout: gradient of out, of shape (N, 1)
    - x: of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    # BEGIN SOLUTION
    # Each entry of a row is in its sum once, with slope one: the row's gradient is copied to all of them.
    return dout * torch.ones_like(x)  # (N, D)
    # END SOLUTION


def mean_backward(dout, x):
    """Backward of out = x.mean(dim=0, keepdim=True).

    Forward, entry by entry: out[0, d] = (sum over n of x[n, d]) / N.

    Given:
    - dout: gradient of out, of shape (1, D)
    - x: of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    # BEGIN SOLUTION
    N = x.shape[0]
    # A mean is a sum over the N rows, divided by N.
    return (1 / N) * dout * torch.ones_like(x)  # (N, D)
    # END SOLUTION


def max_backward(dout, x):
    """Backward of out = x.max(dim=1, keepdim=True).values.

    Forward, entry by entry: out[n, 0] = the largest of x[n, 0], ..., x[n, D - 1]. No row has a tie.

    Given:
    - dout: gradient of out, of shape (N, 1)
    - x: of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    # BEGIN SOLUTION
    # Only the winner of a row decides its maximum: a one there, and zeros elsewhere.
    is_largest = torch.zeros_like(x)  # (N, D)
    is_largest[range(x.shape[0]), x.argmax(dim=1)] = 1.0
    return dout * is_largest  # (N, D)
    # END SOLUTION


def power_backward(dout, x, exponent):
    """Backward of out = x ** exponent.

    Forward, entry by entry: out[n, d] = x[n, d] ** exponent. No entry of x is zero.

    Given:
    - dout: gradient of out, of shape (N, D)
    - x: of shape (N, D)
    - exponent: a Python float, for example 2.0, -1.0 or -0.5

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    # BEGIN SOLUTION
    slope = exponent * x ** (exponent - 1)  # (N, D)
    return dout * slope  # (N, D)
    # END SOLUTION


def exp_backward(dout, out):
    """Backward of out = x.exp().

    Forward, entry by entry: out[n, d] = e ** x[n, d].

    Given:
    - dout: gradient of out, of shape (N, D)
    - out: what the forward computed, of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    # BEGIN SOLUTION
    # exp is its own derivative, and the forward has computed it already.
    return dout * out  # (N, D)
    # END SOLUTION


def log_backward(dout, x):
    """Backward of out = x.log(), the natural logarithm.

    Forward, entry by entry: out[n, d] = log(x[n, d]). Every entry of x is positive.

    Given:
    - dout: gradient of out, of shape (N, D)
    - x: of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    # BEGIN SOLUTION
    # Steep near zero, flat for large x.
    slope = 1.0 / x  # (N, D)
    return dout * slope  # (N, D)
    # END SOLUTION


def tanh_backward(dout, out):
    """Backward of out = x.tanh().

    Forward, entry by entry: out[n, d] = tanh(x[n, d]).

    Given:
    - dout: gradient of out, of shape (N, D)
    - out: what the forward computed, of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    # BEGIN SOLUTION
    # The slope of tanh is 1 at zero and fades to 0 where the output nears 1 or -1.
    slope = 1.0 - out**2  # (N, D)
    return dout * slope  # (N, D)
    # END SOLUTION
