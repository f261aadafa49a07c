"""Convolution and pooling: back through windows that share their weights, and through windows that choose."""

# ruff: noqa: F401, F841, RUF059, RUF100

import torch
import torch.nn.functional as F


def conv2d_backward(dout, x, w, b, stride, padding):
    """Pass the upstream gradient back through a convolution, as torch.nn.functional.conv2d has it.

    The forward, for image n, filter m and place (i, j), where padded is x with `padding` zeros around it:
        out[n, m, i, j] = b[m] + sum over c, k, l of padded[n, c, i * stride + k, j * stride + l] * w[m, c, k, l]

    You are given:
        dout: (N, M, rows, columns), the upstream gradient of out
        x: (N, C, H, W), the images
        w: (M, C, K, K), the filters
        b: (M,)
        stride, padding: whole numbers

    You return:
        dx: (N, C, H, W)
        dw: (M, C, K, K)
        db: (M,)
    """
    rows, columns = dout.shape[2:]
    H, W = x.shape[2:]
    K = w.shape[2]
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, C, H, W)
    dw = None  # (M, C, K, K)
    db = None  # (M,)
    return dx, dw, db


def maxpool2d_backward(dout, x, size, stride):
    """Pass the upstream gradient back through a pool of maxima, whose windows may overlap.

    The forward, for image n, channel c and place (i, j):
        out[n, c, i, j] = max over k, l < size of x[n, c, i * stride + k, j * stride + l]
    Of several largest entries in a window, the first one counts, row by row from the left.

    You are given:
        dout: (N, C, rows, columns), the upstream gradient of out
        x: (N, C, H, W)
        size, stride: whole numbers

    You return:
        dx: (N, C, H, W)
    """
    rows, columns = dout.shape[2:]
    raise NotImplementedError("maxpool2d_backward is not written yet")
