"""Wrong lines; a docstring says what went wrong."""

import torch


def _run(dout, cache, *, carry=True, slope=lambda h: 1 - h**2, transpose=True, drop=False, before=None):
    """Run backward in time, with a slip."""
    T, h = cache.x.shape[1], cache.h
    found = {"x": torch.zeros_like(cache.x), "Wx": 0, "Wh": 0, "b": 0}
    dh = torch.zeros_like(cache.h0)
    for t in reversed(range(T)):
        dh = dout[:, t] + (dh if carry else 0)
        da = dh * slope(h[:, t])
        last = h[:, t - 1] if t else cache.h0
        last = last if before is None else before(h, t)
        found["x"][:, t] = da @ cache.Wx.T
        found["Wx"] = found["Wx"] + cache.x[:, t].T @ da
        found["Wh"] = found["Wh"] + last.T @ da
        found["b"] = found["b"] + da.sum(0)
        dh = da @ (cache.Wh.T if transpose else cache.Wh)
        if drop:
            dh = dh * 0.5
    found["h0"] = dh
    return found


def rnn_backward__dx__recurrence_missing(dout, cache):
    """What comes back from the next step is forgotten."""
    return _run(dout, cache, carry=False)["x"]


def rnn_backward__dWx__recurrence_missing(dout, cache):
    """What comes back from the next step is forgotten."""
    return _run(dout, cache, carry=False)["Wx"]


def rnn_backward__dWh__recurrence_missing(dout, cache):
    """What comes back from the next step is forgotten."""
    return _run(dout, cache, carry=False)["Wh"]


def rnn_backward__db__recurrence_missing(dout, cache):
    """What comes back from the next step is forgotten."""
    return _run(dout, cache, carry=False)["b"]


def rnn_backward__dh0__recurrence_missing(dout, cache):
    """What comes back from the next step is forgotten."""
    return _run(dout, cache, carry=False)["h0"]


def rnn_backward__dx__wh_not_transposed(dout, cache):
    """Wh is not transposed."""
    return _run(dout, cache, transpose=False)["x"]


def rnn_backward__dWh__wh_not_transposed(dout, cache):
    """Wh is not transposed."""
    return _run(dout, cache, transpose=False)["Wh"]


def rnn_backward__dx__slope_missing(dout, cache):
    """tanh's slope is missing."""
    return _run(dout, cache, slope=torch.ones_like)["x"]


def rnn_backward__dWx__square_missing(dout, cache):
    """1 - h."""
    return _run(dout, cache, slope=lambda h: 1 - h)["Wx"]


def rnn_backward__dWh__own_state(dout, cache):
    """The state of the step itself, not of the one before."""
    return _run(dout, cache, before=lambda h, t: h[:, t])["Wh"]


def rnn_backward__dWh__h0_always(dout, cache):
    """h0 in every step."""
    return _run(dout, cache, before=lambda *_: cache.h0)["Wh"]


def rnn_backward__dWh__h0_left_out(dout, cache):
    """The first step's part is zero."""
    return _run(dout, cache, before=lambda h, t: h[:, t - 1] if t else cache.h0 * 0)["Wh"]


def rnn_backward__dWx__last_step_only(dout, cache):
    """Assigned in each step, so the one that is done last stays."""
    dh = dout[:, 0] + _after(dout, cache)
    return cache.x[:, 0].T @ (dh * (1 - cache.h[:, 0] ** 2))


def _after(dout, cache):
    """Return what comes back to the first step from the second."""
    dh = torch.zeros_like(cache.h0)
    for t in reversed(range(1, cache.x.shape[1])):
        dh = ((dout[:, t] + dh) * (1 - cache.h[:, t] ** 2)) @ cache.Wh.T
    return dh


def rnn_backward__db__one_step(dout, cache):
    """Only the last position's upstream is used."""
    only = torch.zeros_like(dout)
    only[:, -1] = dout[:, -1]
    return _run(only, cache)["b"]


def rnn_backward__dx__one_upstream(dout, cache):
    """Only the last position's upstream is used."""
    only = torch.zeros_like(dout)
    only[:, -1] = dout[:, -1]
    return _run(only, cache)["x"]


def rnn_backward__db__mean(dout, cache):
    """A mean over the batch."""
    return _run(dout, cache)["b"] / len(dout)


def rnn_backward__dh0__slope_missing(dout, cache):
    """tanh's slope is missing."""
    return _run(dout, cache, slope=torch.ones_like)["h0"]


def rnn_backward__dh0__of_first(dout, cache):
    """dout of the first step."""
    return dout[:, 0].clone()
