"""A layer norm, forward and back, and a softmax loss, in numpy."""

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
    # BEGIN SOLUTION
    dbeta = np.sum(dout, axis=0)  # (D,)
    dgamma = np.sum(dout * x_hat, axis=0)  # (D,)
    dx_hat = dout * gamma
    along = np.mean(dx_hat * x_hat, axis=1, keepdims=True)
    dx = scale * (dx_hat - dx_hat.mean(axis=1, keepdims=True) - x_hat * along)  # (N, D)
    # END SOLUTION
    return dx, dgamma, dbeta


def softmax_loss(x, y):
    """Return the mean cross-entropy of the rows of x (N, C) with the classes y (N,), and its gradient dx (N, C)."""
    shifted = x - x.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    # BEGIN SOLUTION
    loss = -np.mean(log_probs[np.arange(len(y)), y])  # ()
    dx = np.exp(log_probs)  # (N, C)
    dx[np.arange(len(y)), y] -= 1
    dx /= len(y)
    # END SOLUTION
    return loss, dx
