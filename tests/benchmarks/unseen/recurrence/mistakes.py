"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def _through_time(dout, cache, slope=lambda h: 1 - h**2, carry=lambda da, _, Wh: da @ Wh.T, own=True, state=None):
    """The loop back through time, with a slip in its body."""
    dx, dWx, dWh = torch.zeros_like(cache.x), torch.zeros_like(cache.Wx), torch.zeros_like(cache.Wh)
    db, passed = torch.zeros_like(cache.b), torch.zeros_like(cache.h0)
    last = dout.shape[1] - 1
    for t in reversed(range(last + 1)):
        before = cache.h[:, t - 1] if t else cache.h0
        dh = (dout[:, t] if own or t == last else 0) + passed
        da = dh * slope(cache.h[:, t])
        dx[:, t] = da @ cache.Wx.T
        dWx += cache.x[:, t].T @ da
        dWh += (before if state is None else state(cache, t)).T @ da
        db += da.sum(0)
        passed = carry(da, dh, cache.Wh)
    return {"dx": dx, "dh0": passed, "dWx": dWx, "dWh": dWh, "db": db}


def _reciprocal(h):
    return 1 / (1 - h**2)


def rnn_backward__dx__slope_reciprocal(dout, cache):
    """1 / (1 - h²)."""
    return _through_time(dout, cache, slope=_reciprocal)["dx"]


def rnn_backward__dWh__slope_reciprocal(dout, cache):
    """1 / (1 - h²)."""
    return _through_time(dout, cache, slope=_reciprocal)["dWh"]


def rnn_backward__dWx__tanh_again(dout, cache):
    """1 - tanh(h)²: h has been through tanh already."""
    return _through_time(dout, cache, slope=lambda h: 1 - torch.tanh(h) ** 2)["dWx"]


def rnn_backward__dh0__tanh_again(dout, cache):
    """1 - tanh(h)²: h has been through tanh already."""
    return _through_time(dout, cache, slope=lambda h: 1 - torch.tanh(h) ** 2)["dh0"]


def rnn_backward__db__sigmoid_slope(dout, cache):
    """h (1 - h)."""
    return _through_time(dout, cache, slope=lambda h: h * (1 - h))["db"]


def rnn_backward__dx__sigmoid_slope(dout, cache):
    """h (1 - h)."""
    return _through_time(dout, cache, slope=lambda h: h * (1 - h))["dx"]


def _nothing(da, dh, Wh):
    return torch.zeros_like(dh)


def rnn_backward__dx__nothing_passed_on(dout, cache):
    """What comes back from the step behind is not added."""
    return _through_time(dout, cache, carry=_nothing)["dx"]


def rnn_backward__dWx__nothing_passed_on(dout, cache):
    """What comes back from the step behind is not added."""
    return _through_time(dout, cache, carry=_nothing)["dWx"]


def rnn_backward__dWh__nothing_passed_on(dout, cache):
    """What comes back from the step behind is not added."""
    return _through_time(dout, cache, carry=_nothing)["dWh"]


def rnn_backward__db__nothing_passed_on(dout, cache):
    """What comes back from the step behind is not added."""
    return _through_time(dout, cache, carry=_nothing)["db"]


def rnn_backward__dx__own_upstream_of_last_only(dout, cache):
    """dout is added in the last step only."""
    return _through_time(dout, cache, own=False)["dx"]


def rnn_backward__dh0__own_upstream_of_last_only(dout, cache):
    """dout is added in the last step only."""
    return _through_time(dout, cache, own=False)["dh0"]


def _not_turned(da, dh, Wh):
    return da @ Wh


def rnn_backward__dWx__wh_as_it_stands(dout, cache):
    """Wh without a transpose."""
    return _through_time(dout, cache, carry=_not_turned)["dWx"]


def rnn_backward__db__wh_as_it_stands(dout, cache):
    """Wh without a transpose."""
    return _through_time(dout, cache, carry=_not_turned)["db"]


def rnn_backward__dh0__weights_forgotten(dout, cache):
    """Handed on without Wh."""
    return _through_time(dout, cache, carry=lambda da, *_: da)["dh0"]


def rnn_backward__dx__weights_forgotten(dout, cache):
    """Handed on without Wh."""
    return _through_time(dout, cache, carry=lambda da, *_: da)["dx"]


def rnn_backward__dx__slope_forgotten_in_carry(dout, cache):
    """What is handed on has not been through the tanh."""
    return _through_time(dout, cache, carry=lambda _, dh, Wh: dh @ Wh.T)["dx"]


def rnn_backward__dWh__slope_forgotten_in_carry(dout, cache):
    """What is handed on has not been through the tanh."""
    return _through_time(dout, cache, carry=lambda _, dh, Wh: dh @ Wh.T)["dWh"]


def rnn_backward__dWh__state_of_this_step(dout, cache):
    """h of the step itself."""
    return _through_time(dout, cache, state=lambda cache, t: cache.h[:, t])["dWh"]


def rnn_backward__dWh__wraps_around(dout, cache):
    """h[:, t - 1] at t = 0 is the last one."""
    return _through_time(dout, cache, state=lambda cache, t: cache.h[:, t - 1])["dWh"]


def rnn_backward__dWh__initial_state_always(dout, cache):
    """h0 in every step."""
    return _through_time(dout, cache, state=lambda cache, _: cache.h0)["dWh"]


def rnn_backward__dWx__assigned(dout, cache, d):
    """= in place of +=: what the first step gave."""
    return cache.x[:, 0].T @ (d.dh1 * (1 - cache.h[:, 0] ** 2))


def rnn_backward__dWh__assigned(dout, cache, d):
    """= in place of +=: what the first step gave."""
    return cache.h0.T @ (d.dh1 * (1 - cache.h[:, 0] ** 2))


def rnn_backward__db__assigned(dout, cache, d):
    """= in place of +=: what the first step gave."""
    return (d.dh1 * (1 - cache.h[:, 0] ** 2)).sum(0)


def rnn_backward__dh0__before_the_first_step(dout, cache, d):
    """The gradient of the first h, plus its dout."""
    return d.dh1 * (1 - cache.h[:, 0] ** 2) @ cache.Wh.T + dout[:, 0]


def rnn_backward__dh0__zeros(dout, cache):
    """Never assigned."""
    return torch.zeros_like(cache.h0)


def rnn_backward__db__mean(dout, cache):
    """A mean over the batch."""
    return _through_time(dout, cache)["db"] / dout.shape[0]


def rnn_backward__dWx__mean_over_time(dout, cache):
    """A mean over the steps."""
    return _through_time(dout, cache)["dWx"] / dout.shape[1]


def rnn_backward__dx__reversed(dout, cache):
    """Appended in the order of the walk: the last step comes first."""
    return _through_time(dout, cache)["dx"].flip(1)


def _step(dh, dc, cache, gate=lambda s: s * (1 - s), bend=lambda g: 1 - g**2, order="ifog", memory=None, **partner):
    """One step of an LSTM, with a slip in it."""
    bent = torch.tanh(cache.c)
    whole = dc + dh * cache.o * (1 - bent**2) if memory is None else memory(dh, dc, cache)
    parts = {
        "i": whole * partner.get("i", cache.g) * gate(cache.i),
        "f": whole * partner.get("f", cache.c_prev) * gate(cache.f),
        "o": dh * partner.get("o", bent) * gate(cache.o),
        "g": whole * partner.get("g", cache.i) * bend(cache.g),
    }
    pre = torch.cat([parts[name] for name in order], dim=1)
    return {
        "dx": pre @ cache.Wx.T,
        "dh_prev": pre @ cache.Wh.T,
        "dc_prev": whole * cache.f,
        "dWx": cache.x.T @ pre,
        "dWh": cache.h_prev.T @ pre,
        "db": pre.sum(0),
    }


def _without_dc(dh, dc, cache):
    return dh * cache.o * (1 - torch.tanh(cache.c) ** 2)


def lstm_step_backward__dx__dc_not_added(dh, dc, cache):
    """= in place of +=: what came back to c itself is lost."""
    return _step(dh, dc, cache, memory=_without_dc)["dx"]


def lstm_step_backward__dc_prev__dc_not_added(dh, dc, cache):
    """= in place of +=: what came back to c itself is lost."""
    return _step(dh, dc, cache, memory=_without_dc)["dc_prev"]


def lstm_step_backward__dWx__dc_not_added(dh, dc, cache):
    """= in place of +=: what came back to c itself is lost."""
    return _step(dh, dc, cache, memory=_without_dc)["dWx"]


def lstm_step_backward__dc_prev__h_not_added(dh, dc, cache):
    """Only dc times f: the way through h is forgotten."""
    return dc * cache.f


def lstm_step_backward__dh_prev__h_not_added(dh, dc, cache):
    """Only dc goes through c: the way through h is forgotten."""
    return _step(dh, dc, cache, memory=lambda _, dc, __: dc)["dh_prev"]


def lstm_step_backward__db__tanh_forgotten(dh, dc, cache):
    """The slope of tanh(c) is forgotten."""
    return _step(dh, dc, cache, memory=lambda dh, dc, cache: dc + dh * cache.o)["db"]


def lstm_step_backward__dc_prev__tanh_of_h(dh, dc, cache):
    """1 - h² in place of 1 - tanh(c)²."""
    return (dc + dh * cache.o * (1 - cache.h**2)) * cache.f


def lstm_step_backward__dc_prev__tanh_of_c_missing(dh, dc, cache):
    """1 - c²."""
    return (dc + dh * cache.o * (1 - cache.c**2)) * cache.f


def lstm_step_backward__dWh__gates_without_slope(dh, dc, cache):
    """The slopes of the gates are forgotten."""
    return _step(dh, dc, cache, gate=torch.ones_like)["dWh"]


def lstm_step_backward__db__gates_sigmoid_again(dh, dc, cache):
    """sigmoid(f) in place of the slope: no derivative, and of what has been through it."""
    return _step(dh, dc, cache, gate=torch.sigmoid)["db"]


def lstm_step_backward__dx__gates_sigmoid_again(dh, dc, cache):
    """The slope at the sigmoid of the gate."""

    def again(s):
        return torch.sigmoid(s) * (1 - torch.sigmoid(s))

    return _step(dh, dc, cache, gate=again)["dx"]


def lstm_step_backward__dWx__g_as_a_gate(dh, dc, cache):
    """g through the slope of the sigmoid."""
    return _step(dh, dc, cache, bend=lambda g: g * (1 - g))["dWx"]


def lstm_step_backward__db__g_without_slope(dh, dc, cache):
    """The slope of g is forgotten."""
    return _step(dh, dc, cache, bend=torch.ones_like)["db"]


def lstm_step_backward__dh_prev__f_times_c(dh, dc, cache):
    """df with c in place of c_prev."""
    return _step(dh, dc, cache, f=cache.c)["dh_prev"]


def lstm_step_backward__db__f_times_c(dh, dc, cache):
    """df with c in place of c_prev."""
    return _step(dh, dc, cache, f=cache.c)["db"]


def lstm_step_backward__dWx__o_times_c(dh, dc, cache):
    """do with c in place of tanh(c)."""
    return _step(dh, dc, cache, o=cache.c)["dWx"]


def lstm_step_backward__dx__o_times_c(dh, dc, cache):
    """do with c in place of tanh(c)."""
    return _step(dh, dc, cache, o=cache.c)["dx"]


def lstm_step_backward__dWx__i_and_g_exchanged(dh, dc, cache):
    """di with i, and dg with g."""
    return _step(dh, dc, cache, i=cache.i, g=cache.g)["dWx"]


def lstm_step_backward__db__order_of_the_gates(dh, dc, cache):
    """f before i."""
    return _step(dh, dc, cache, order="fiog")["db"]


def lstm_step_backward__dx__order_of_the_gates(dh, dc, cache):
    """f before i."""
    return _step(dh, dc, cache, order="fiog")["dx"]


def lstm_step_backward__dWh__input_for_state(dh, dc, cache):
    """The new h in place of the one before."""
    return cache.h.T @ _step(dh, dc, cache)["db"].expand(len(dh), -1)


def lstm_step_backward__dWh__h_of_this_step(dh, dc, cache, d):
    """h in place of h_prev."""
    return cache.h.T @ d.dpre


def lstm_step_backward__dc_prev__gate_forgotten(dh, dc, cache, d):
    """Not multiplied by the forget gate."""
    return d.dc.clone()


def lstm_step_backward__dc_prev__input_gate(dh, dc, cache, d):
    """Multiplied by the input gate."""
    return d.dc * cache.i


def lstm_step_backward__db__same_for_all(dh, dc, cache):
    """The bias of the forget gate gets the gradient for i and o, too."""
    return _step(dh, dc, cache, order="fffg")["db"]


# A second list, written when the first had been used to mend with.


def rnn_backward__dx__later_plus(dout, cache):
    """1 + h²."""
    return _through_time(dout, cache, slope=lambda h: 1 + h**2)["dx"]


def rnn_backward__db__later_handed_twice(dout, cache):
    """What is handed back is multiplied by the slope twice."""
    return _through_time(dout, cache, slope=lambda h: (1 - h**2) ** 2)["db"]


def rnn_backward__dWh__later_negative(dout, cache):
    """h² - 1."""
    return _through_time(dout, cache, slope=lambda h: h**2 - 1)["dWh"]


def rnn_backward__dx__later_wx_not_turned(dout, cache, d):
    """Wh in place of Wx: only where the sizes agree."""
    return _through_time(dout, cache, carry=lambda da, *_: da / da.shape[1])["dx"]


def rnn_backward__dWx__later_first_input(dout, cache):
    """The first input in every step."""
    inside = _through_time(dout, cache)["db"].expand(len(dout), -1) / len(dout)
    return cache.x[:, 0].T @ inside


def rnn_backward__dh0__later_last_upstream(dout, cache):
    """The last upstream is forgotten: the walk begins one step too soon."""
    return _through_time(dout[:, :-1], cache)["dh0"]


def lstm_step_backward__dc_prev__later_f_slope(dh, dc, cache, d):
    """The slope of the forget gate in place of the gate."""
    return d.dc * cache.f * (1 - cache.f)


def lstm_step_backward__dx__later_output_gate_of_h(dh, dc, cache):
    """do with h in place of tanh(c)."""
    return _step(dh, dc, cache, o=cache.h)["dx"]


def lstm_step_backward__dWx__later_memory_twice(dh, dc, cache):
    """dc is added twice."""
    return _step(dh, dc, cache, memory=lambda dh, dc, c: 2 * dc + dh * c.o * (1 - torch.tanh(c.c) ** 2))["dWx"]


def lstm_step_backward__dh_prev__later_wx(dh, dc, cache):
    """o is missing on the way from h to c."""
    return _step(dh, dc, cache, memory=lambda dh, dc, c: dc + dh * (1 - torch.tanh(c.c) ** 2))["dh_prev"]


def lstm_step_backward__db__later_all_through_tanh(dh, dc, cache):
    """All gates by the slope of tanh."""
    return _step(dh, dc, cache, gate=lambda s: 1 - s**2)["db"]
