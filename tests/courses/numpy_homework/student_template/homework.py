"""A layer norm, forward and back, and a softmax loss, in numpy."""

# ruff: noqa: F401, F841, RUF059, RUF100

import numpy as np


def layernorm_forward(x, gamma, beta, ln_param):
    """Return out = gamma * x_hat + beta, where each row of x is normalised, and a cache for the way back."""
    x_hat = x - x.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt(np.mean(x_hat**2, axis=1, keepdims=True) + ln_param["eps"])
    x_hat = x_hat * scale
    cache = {"x_hat": x_hat, "scale": scale, "gamma": gamma}
    return gamma * x_hat + beta, cache


def layernorm_backward(dout, cache):
    """Pass the upstream gradient back through a layer norm.

    You are given:
        dout: (N, D), the upstream gradient of out
        cache: what layernorm_forward kept

    You return:
        dx: (N, D)
        dgamma: (D,)
        dbeta: (D,)
    """
    x_hat, scale, gamma = cache["x_hat"], cache["scale"], cache["gamma"]
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, D)
    dgamma = None  # (D,)
    dbeta = None  # (D,)
    return dx, dgamma, dbeta


def softmax_loss(x, y):
    """Return the mean cross-entropy of the rows of x (N, C) with the classes y (N,), and its gradient dx (N, C)."""
    shifted = x - x.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    loss = None  # ()
    dx = None  # (N, C)
    return loss, dx
