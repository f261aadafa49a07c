"""Convolution and pooling: back through windows that share their weights, and through windows that choose."""

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
    # BEGIN SOLUTION
    padded = F.pad(x, [padding] * 4)
    dpadded = torch.zeros_like(padded)
    dw = torch.zeros_like(w)  # (M, C, K, K)
    db = dout.sum(dim=(0, 2, 3))  # (M,)
    for i in range(rows):
        for j in range(columns):
            place = (..., slice(i * stride, i * stride + K), slice(j * stride, j * stride + K))
            # One place is a linear layer: a window goes in, and each filter makes one number of it.
            dw += torch.einsum("nm,nckl->mckl", dout[:, :, i, j], padded[place])
            # Windows overlap, and what an entry gets from several of them adds up.
            dpadded[place] += torch.einsum("nm,mckl->nckl", dout[:, :, i, j], w)
    dx = dpadded[:, :, padding : padding + H, padding : padding + W]  # (N, C, H, W)
    # END SOLUTION
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
    # BEGIN SOLUTION
    collected = torch.zeros_like(x)  # (N, C, H, W)
    for i in range(rows):
        for j in range(columns):
            place = (..., slice(i * stride, i * stride + size), slice(j * stride, j * stride + size))
            window = x[place].flatten(start_dim=2)  # (N, C, size * size)
            winner = window.argmax(dim=2, keepdim=True)
            # The winner takes all, and one entry may win in several windows.
            share = torch.zeros_like(window).scatter(2, winner, dout[:, :, i, j, None])
            collected[place] += share.unflatten(2, (size, size))
    return collected
    # END SOLUTION
