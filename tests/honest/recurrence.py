"""Right answers for `recurrence`, written in other ways than the solution."""

import torch


def _step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dtanh = (1 - next_h * next_h) * dnext_h
    return dtanh @ Wx.t(), dtanh @ Wh.t(), x.t() @ dtanh, prev_h.t() @ dtanh, dtanh.sum(0)


def rnn_backward__step_by_step(dout, cache):
    N, T, H = dout.shape
    dx = torch.zeros(N, T, cache.x.shape[2])
    dWx, dWh, db = torch.zeros_like(cache.Wx), torch.zeros_like(cache.Wh), torch.zeros(H)
    dprev_h = torch.zeros(N, H)
    for t in range(T - 1, -1, -1):
        prev_h = cache.h0 if t == 0 else cache.h[:, t - 1, :]
        step = (cache.x[:, t, :], prev_h, cache.Wx, cache.Wh, cache.h[:, t, :])
        dx[:, t, :], dprev_h, dWx_t, dWh_t, db_t = _step_backward(dprev_h + dout[:, t, :], step)
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dprev_h, dWx, dWh, db


def rnn_backward__collected(dout, cache):
    T = dout.shape[1]
    slopes = 1 - cache.h.square()
    dpre, behind = [None] * T, torch.zeros_like(cache.h0)
    for t in range(T)[::-1]:
        dpre[t] = (dout[:, t] + behind) * slopes[:, t]
        behind = torch.einsum("nh,ih->ni", dpre[t], cache.Wh)
    dpre = torch.stack(dpre, dim=1)
    before = torch.cat([cache.h0.unsqueeze(1), cache.h[:, :-1]], dim=1)
    return {
        "dWh": before.flatten(0, 1).T @ dpre.flatten(0, 1),
        "dWx": torch.einsum("ntd,nth->dh", cache.x, dpre),
        "db": dpre.sum(1).sum(0),
        "dh0": behind,
        "dx": dpre @ cache.Wx.T,
    }


def rnn_backward__every_pair_of_steps(dout, cache):
    # From each output to each step before it, by the product of all the slopes between them.
    N, T, _ = dout.shape
    dpre = torch.zeros_like(dout)
    dh0 = torch.zeros_like(cache.h0)
    for t in range(T):
        g = dout[:, t]
        for s in range(t, -1, -1):
            g = g - g * cache.h[:, s] ** 2
            dpre[:, s] += g
            g = g @ cache.Wh.T
        dh0 += g
    before = [cache.h0, *(getattr(cache, f"h{t}") for t in range(1, T))]
    dWh = sum(before[t].T @ dpre[:, t] for t in range(T))
    dWx = sum(cache.x[n].T @ dpre[n] for n in range(N))
    return dpre @ cache.Wx.T, dh0, dWx, dWh, dpre.sum((0, 1))


def lstm_step_backward__gate_by_gate(dh, dc, cache):
    H = dh.shape[1]
    t = torch.tanh(cache.c)
    do = t * dh
    dc = dc + cache.o * (1 - t * t) * dh
    dpre = torch.empty(len(dh), 4 * H)
    dpre[:, :H] = cache.i * (1 - cache.i) * (cache.g * dc)
    dpre[:, H : 2 * H] = cache.f * (1 - cache.f) * (cache.c_prev * dc)
    dpre[:, 2 * H : 3 * H] = cache.o * (1 - cache.o) * do
    dpre[:, 3 * H :] = (1 - cache.g * cache.g) * (cache.i * dc)
    dx, dh_prev = dpre @ cache.Wx.t(), dpre @ cache.Wh.t()
    return dx, dh_prev, cache.f * dc, cache.x.t() @ dpre, cache.h_prev.t() @ dpre, torch.ones(len(dh)) @ dpre


def lstm_step_backward__by_its_output(dh, dc, cache):
    # o times the square of tanh(c) is h squared over o.
    dc = dc + dh * (cache.o - cache.h**2 / cache.o)
    parts = {
        "i": dc * cache.g * (cache.i - cache.i**2),
        "f": dc * cache.c_prev * (cache.f - cache.f**2),
        "o": dh * cache.h * (1 - cache.o),
        "g": dc * cache.i * (1 + cache.g) * (1 - cache.g),
    }
    Wx, Wh = cache.Wx.chunk(4, dim=1), cache.Wh.chunk(4, dim=1)
    return {
        "db": torch.cat([part.sum(0) for part in parts.values()]),
        "dWx": torch.cat([cache.x.T @ part for part in parts.values()], dim=1),
        "dWh": torch.cat([cache.h_prev.T @ part for part in parts.values()], dim=1),
        "dc_prev": dc * cache.f,
        "dx": sum(part @ W.T for part, W in zip(parts.values(), Wx, strict=True)),
        "dh_prev": sum(part @ W.T for part, W in zip(parts.values(), Wh, strict=True)),
    }
