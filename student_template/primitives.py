"""Primitives: the backward pass of each building block.

Every function is given dout, the gradient of its output, and returns the gradients of its inputs.
A gradient has the shape of its value.
"""

# ruff: noqa: F401, F841, RUF059, RUF100

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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    da = None  # (N, D)
    db = None  # (N, D)
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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    da = None  # (N, D)
    db = None  # (D,)
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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    da = None  # (N, D)
    db = None  # (N, D)
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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    da = None  # (N, K)
    db = None  # (K, M)
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
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    da = None  # (N, D)
    db = None  # (N, D)
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
    raise NotImplementedError("sum_backward is not written yet")


def mean_backward(dout, x):
    """Backward of out = x.mean(dim=0, keepdim=True).

    Forward, entry by entry: out[0, d] = (sum over n of x[n, d]) / N.

    Given:
    - dout: gradient of out, of shape (1, D)
    - x: of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    raise NotImplementedError("mean_backward is not written yet")


def max_backward(dout, x):
    """Backward of out = x.max(dim=1, keepdim=True).values.

    Forward, entry by entry: out[n, 0] = the largest of x[n, 0], ..., x[n, D - 1]. No row has a tie.

    Given:
    - dout: gradient of out, of shape (N, 1)
    - x: of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    raise NotImplementedError("max_backward is not written yet")


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
    raise NotImplementedError("power_backward is not written yet")


def exp_backward(dout, out):
    """Backward of out = x.exp().

    Forward, entry by entry: out[n, d] = e ** x[n, d].

    Given:
    - dout: gradient of out, of shape (N, D)
    - out: what the forward computed, of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    raise NotImplementedError("exp_backward is not written yet")


def log_backward(dout, x):
    """Backward of out = x.log(), the natural logarithm.

    Forward, entry by entry: out[n, d] = log(x[n, d]). Every entry of x is positive.

    Given:
    - dout: gradient of out, of shape (N, D)
    - x: of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    raise NotImplementedError("log_backward is not written yet")


def tanh_backward(dout, out):
    """Backward of out = x.tanh().

    Forward, entry by entry: out[n, d] = tanh(x[n, d]).

    Given:
    - dout: gradient of out, of shape (N, D)
    - out: what the forward computed, of shape (N, D)

    Return:
    - dx: gradient of x, of shape (N, D)
    """
    raise NotImplementedError("tanh_backward is not written yet")
