"""The backward passes of four layers, in numpy."""

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
    # BEGIN SOLUTION
    dx = (dout @ w.T).reshape(x.shape)  # (N, d1, ..., dk)
    dw = x.reshape(len(x), -1).T @ dout  # (D, M)
    db = dout.sum(axis=0)  # (M,)
    # END SOLUTION
    return dx, dw, db


def relu_backward(dout, cache):
    """Pass the upstream gradient back through a relu; the cache is its input x (N, D), and dx has its shape."""
    x = cache
    # BEGIN SOLUTION
    dx = np.where(x > 0, dout, 0)  # (N, D)
    # END SOLUTION
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
    # BEGIN SOLUTION
    dbeta = np.sum(dout, axis=0)  # (D,)
    dgamma = np.sum(dout * x_hat, axis=0)  # (D,)
    scaled = gamma / np.sqrt(var + eps) / len(x)
    dx = scaled * (len(x) * dout - dbeta - x_hat * dgamma)  # (N, D)
    # END SOLUTION
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
    # BEGIN SOLUTION
    dx_hat = dout * gamma  # (N, D)
    dvar = -0.5 * np.sum(dx_hat * (x - mean), axis=0) * (var + eps) ** -1.5  # (D,)
    dmean = -np.sum(dx_hat, axis=0) / np.sqrt(var + eps)  # (D,)
    dx = dx_hat / np.sqrt(var + eps) + (2 * (x - mean) * dvar + dmean) / len(x)  # (N, D)
    # END SOLUTION
    return dx_hat, dvar, dmean, dx


def dropout_backward(dout, cache):
    """Pass the upstream gradient back through dropout; the cache is its settings, a dict, and the mask (N, D)."""
    dropout_param, mask = cache
    # BEGIN SOLUTION
    dx = dout * mask / (1 - dropout_param["p"])  # (N, D)
    # END SOLUTION
    return dx
