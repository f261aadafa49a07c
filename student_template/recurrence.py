"""Recurrence: back through a sequence of steps that share their weights, and back through one step of an LSTM."""

# ruff: noqa: F401, F841, RUF059, RUF100

import torch


def rnn_backward(dout, cache):
    """Walk back through time, from the last step of a recurrent network to the first.

    The forward, for row n and step t = 1, ..., T, from h0:
        h_t = tanh(x_t @ Wx + h_(t-1) @ Wh + b)
    and the output is all of them: out[n, t - 1] = h_t[n].

    You are given:
        dout: (N, T, H), the upstream gradient of the output
        cache: x (N, T, D), h0 (N, H), Wx (D, H), Wh (H, H), b (H,), and the output h (N, T, H):
            h[:, 0] is the h that the first step made. The steps are there by name as well, h1, h2, ...

    You return the gradient with respect to each, in this order:
        dx (N, T, D), dh0 (N, H), dWx (D, H), dWh (H, H), db (H,)
    """
    x, h0, h = cache.x, cache.h0, cache.h
    Wx, Wh = cache.Wx, cache.Wh
    T = x.shape[1]  # steps
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, T, D)
    dh0 = None  # (N, H)
    dWx = None  # (D, H)
    dWh = None  # (H, H)
    db = None  # (H,)
    return dx, dh0, dWx, dWh, db


def lstm_step_backward(dh, dc, cache):
    """Go back through one step of an LSTM. It has two outputs, h and c, with an upstream gradient each.

    The forward, with four gates side by side in the columns of pre:
        pre = x @ Wx + h_prev @ Wh + b
        i = sigmoid(pre[:, :H]), f = sigmoid(pre[:, H:2H]), o = sigmoid(pre[:, 2H:3H]), g = tanh(pre[:, 3H:])
        c = f * c_prev + i * g
        h = o * tanh(c)

    You are given:
        dh: (N, H), the upstream gradient of h
        dc: (N, H), the upstream gradient of c as an output: without what c receives through h
        cache: every value above by name. x (N, D), h_prev, c_prev (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,),
            i, f, o, g, c, h (N, H), pre (N, 4H)

    You return the gradient with respect to each, in this order:
        dx (N, D), dh_prev (N, H), dc_prev (N, H), dWx (D, 4H), dWh (H, 4H), db (4H,)
    """
    x, h_prev, c_prev = cache.x, cache.h_prev, cache.c_prev
    Wx, Wh = cache.Wx, cache.Wh
    i, f, o, g, c = cache.i, cache.f, cache.o, cache.g, cache.c
    # Stuck is not lost: leave a step None, and go on with the next. It costs its own points and no others.
    dx = None  # (N, D)
    dh_prev = None  # (N, H)
    dc_prev = None  # (N, H)
    dWx = None  # (D, 4H)
    dWh = None  # (H, 4H)
    db = None  # (4H,)
    return dx, dh_prev, dc_prev, dWx, dWh, db
