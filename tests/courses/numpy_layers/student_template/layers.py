"""The backward passes of four layers, in numpy."""

# ruff: noqa: F401, F841, RUF059, RUF100

import numpy as np


def affine_backward(dout, cache):
    """Pass the upstream gradient back through out = x w + b, where each row of x is flattened.

    You are given:
        dout: (N, M), the upstream gradient of out
        cache: x (N, d1, ..., dk), w (D, M) with D = d1 * ... * dk, and b (M,)

    You return:
        dx: (N, d1, ..., dk)
        dw: (D, M)
        db: (M,)
    """
    x, w, b = cache
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, d1, ..., dk)
    dw = None  # (D, M)
    db = None  # (M,)
    return dx, dw, db


def relu_backward(dout, cache):
    """Pass the upstream gradient back through a relu; the cache is its input x (N, D), and dx has its shape."""
    x = cache
    dx = None  # (N, D)
    return dx


def batchnorm_backward(dout, cache):
    """Pass the upstream gradient back through out = gamma * x_hat + beta.

    You are given:
        dout: (N, D), the upstream gradient of out
        cache: x (N, D), mean (D,), var (D,), x_hat (N, D), gamma (D,) and eps

    You return:
        dx: (N, D)
        dgamma: (D,)
        dbeta: (D,)
    """
    x, mean, var, x_hat, gamma, eps = cache
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, D)
    dgamma = None  # (D,)
    dbeta = None  # (D,)
    return dx, dgamma, dbeta


def batchnorm_steps_backward(dout, cache):
    """Do the same step by step: x_hat = (x - mean) / sqrt(var + eps), where mean and var are those of the columns.

    You are given what batchnorm_backward is given.

    You return:
        dx_hat: (N, D)
        dvar: (D,)
        dmean: (D,)
        dx: (N, D)
    """
    x, mean, var, x_hat, gamma, eps = cache
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx_hat = None  # (N, D)
    dvar = None  # (D,)
    dmean = None  # (D,)
    dx = None  # (N, D)
    return dx_hat, dvar, dmean, dx


def dropout_backward(dout, cache):
    """Pass the upstream gradient back through dropout; the cache is its settings, a dict, and the mask (N, D)."""
    dropout_param, mask = cache
    dx = None  # (N, D)
    return dx
