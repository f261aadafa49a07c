"""Wrong gradients that people write for recurrent networks. Each docstring is what the student is told."""

import torch

# rnn_backward: h_t = tanh(x_t Wx + h_(t-1) Wh + b)
# What reaches the inside of each tanh (N, T, H), when the walk back through time goes wrong.


def _before(cache):
    """Return the h that each step began with."""
    return torch.cat([cache.h0[:, None], cache.h[:, :-1]], dim=1)


def _walk(dout, step):
    """Collect what each step makes of its gradient, the last one first; `step` also returns what it passes on."""
    found, passed = [], 0.0
    for k in reversed(range(dout.shape[1])):
        inside, passed = step(dout[:, k] + passed, k)
        found.insert(0, inside)
    return torch.stack(found, dim=1)


def _alone(dout, cache):
    return dout * (1 - cache.h**2)


def _last_output(dout, cache):
    alone = torch.zeros_like(dout)
    alone[:, -1] = dout[:, -1]
    return _walk(alone, lambda dh, k: _passed(dh * (1 - cache.h[:, k] ** 2), cache.Wh.T))


def _passed(inside, turned):
    return inside, inside @ turned


def _not_turned(dout, cache):
    return _walk(dout, lambda dh, k: _passed(dh * (1 - cache.h[:, k] ** 2), cache.Wh))


def _past_the_slope(dout, cache):
    return _walk(dout, lambda dh, k: (dh * (1 - cache.h[:, k] ** 2), dh @ cache.Wh.T))


def _without_slope(dout, cache):
    return _walk(dout, lambda dh, _: _passed(dh, cache.Wh.T))


def _square_missing(dout, cache):
    return _walk(dout, lambda dh, k: _passed(dh * (1 - cache.h[:, k]), cache.Wh.T))


def _slope_before(dout, cache):
    return _walk(dout, lambda dh, k: _passed(dh * (1 - _before(cache)[:, k] ** 2), cache.Wh.T))


def _forward_in_time(dout, cache):
    turned, h = dout.flip(1), cache.h.flip(1)
    return _walk(turned, lambda dh, k: _passed(dh * (1 - h[:, k] ** 2), cache.Wh.T)).flip(1)


def rnn_backward__dx__no_recurrence(dout, cache):
    """You went back through each step by itself. Each h also made the next one, and two uses add."""
    return _alone(dout, cache) @ cache.Wx.T


def rnn_backward__dx__last_output_only(dout, cache):
    """You began with the last output and left out the others. Every h is an output, so each step adds its own dout."""
    return _last_output(dout, cache) @ cache.Wx.T


def rnn_backward__dx__not_transposed(dout, cache):
    """From step to step you multiplied by Wh as it stands. It is square and does not warn you: turn it over."""
    return _not_turned(dout, cache) @ cache.Wx.T


def rnn_backward__dx__past_the_slope(dout, cache):
    """What you pass to the step before has not been through the tanh. It lies between h and the matmul with Wh."""
    return _past_the_slope(dout, cache) @ cache.Wx.T


def rnn_backward__dx__tanh_skipped(dout, cache):
    """You left out the slope of tanh. Every step passes it."""
    return _without_slope(dout, cache) @ cache.Wx.T


def rnn_backward__dx__square_missing(dout, cache):
    """The slope of tanh lacks its square."""
    return _square_missing(dout, cache) @ cache.Wx.T


def rnn_backward__dx__slope_of_the_step_before(dout, cache):
    """You took the slope of tanh at the h that a step began with. It is written with the h that the step made."""
    return _slope_before(dout, cache) @ cache.Wx.T


def rnn_backward__dx__forward_in_time(dout, cache):
    """You walked from the first step to the last. What comes back arrives from later steps, so begin with the last."""
    return _forward_in_time(dout, cache) @ cache.Wx.T


def rnn_backward__dh0__no_recurrence(dout, cache):
    """You went back through each step by itself. Each h also made the next one, and two uses add."""
    return _alone(dout, cache)[:, 0] @ cache.Wh.T


def rnn_backward__dh0__last_output_only(dout, cache):
    """You began with the last output and left out the others. Every h is an output, so each step adds its own dout."""
    return _last_output(dout, cache)[:, 0] @ cache.Wh.T


def rnn_backward__dh0__not_transposed(dout, cache):
    """From step to step you multiplied by Wh as it stands. It is square and does not warn you: turn it over."""
    return _not_turned(dout, cache)[:, 0] @ cache.Wh.T


def rnn_backward__dh0__past_the_slope(dout, cache):
    """What you pass to the step before has not been through the tanh. It lies between h and the matmul with Wh."""
    return _past_the_slope(dout, cache)[:, 0] @ cache.Wh.T


def rnn_backward__dh0__tanh_skipped(dout, cache):
    """You left out the slope of tanh. Every step passes it."""
    return _without_slope(dout, cache)[:, 0] @ cache.Wh.T


def rnn_backward__dh0__square_missing(dout, cache):
    """The slope of tanh lacks its square."""
    return _square_missing(dout, cache)[:, 0] @ cache.Wh.T


def rnn_backward__dh0__slope_of_the_step_before(dout, cache):
    """You took the slope of tanh at the h that a step began with. It is written with the h that the step made."""
    return _slope_before(dout, cache)[:, 0] @ cache.Wh.T


def rnn_backward__dh0__stopped_at_the_tanh(cache, d):
    """You stopped inside the first tanh. Behind it is one more matmul, with Wh."""
    return d.dh1 * (1 - cache.h[:, 0] ** 2)


def rnn_backward__dh0__stopped_at_the_first_h(d):
    """This is the gradient of the first h. A tanh and a matmul lie between it and h0."""
    return d.dh1.clone()


def rnn_backward__dh0__first_output_added(dout, d):
    """You added the first dout. h0 is no output: the first output is the h that the first step makes."""
    return d.dh0 + dout[:, 0]


def rnn_backward__dh0__wrong_weights(cache, d):
    """You multiplied by Wh as it stands. It is square and does not warn you: turn it over."""
    return d.dh1 * (1 - cache.h[:, 0] ** 2) @ cache.Wh


def rnn_backward__dWx__no_recurrence(dout, cache):
    """You went back through each step by itself. Each h also made the next one, and two uses add."""
    return torch.einsum("ntd,nth->dh", cache.x, _alone(dout, cache))


def rnn_backward__dWx__last_output_only(dout, cache):
    """You began with the last output and left out the others. Every h is an output, so each step adds its own dout."""
    return torch.einsum("ntd,nth->dh", cache.x, _last_output(dout, cache))


def rnn_backward__dWx__not_transposed(dout, cache):
    """From step to step you multiplied by Wh as it stands. It is square and does not warn you: turn it over."""
    return torch.einsum("ntd,nth->dh", cache.x, _not_turned(dout, cache))


def rnn_backward__dWx__past_the_slope(dout, cache):
    """What you pass to the step before has not been through the tanh. It lies between h and the matmul with Wh."""
    return torch.einsum("ntd,nth->dh", cache.x, _past_the_slope(dout, cache))


def rnn_backward__dWx__tanh_skipped(dout, cache):
    """You left out the slope of tanh. Every step passes it."""
    return torch.einsum("ntd,nth->dh", cache.x, _without_slope(dout, cache))


def rnn_backward__dWx__square_missing(dout, cache):
    """The slope of tanh lacks its square."""
    return torch.einsum("ntd,nth->dh", cache.x, _square_missing(dout, cache))


def rnn_backward__dWx__slope_of_the_step_before(dout, cache):
    """You took the slope of tanh at the h that a step began with. It is written with the h that the step made."""
    return torch.einsum("ntd,nth->dh", cache.x, _slope_before(dout, cache))


def rnn_backward__dWx__forward_in_time(dout, cache):
    """You walked from the first step to the last. What comes back arrives from later steps, so begin with the last."""
    return torch.einsum("ntd,nth->dh", cache.x, _forward_in_time(dout, cache))


def rnn_backward__dWx__overwritten(cache, d):
    """You kept one step's part, the first. All steps use the same Wx, so use += and not =."""
    return cache.x[:, 0].T @ (d.dh1 * (1 - cache.h[:, 0] ** 2))


def rnn_backward__dWx__last_step_only(dout, cache):
    """You used the last step only. All steps use the same Wx, and each adds its part."""
    return cache.x[:, -1].T @ (dout[:, -1] * (1 - cache.h[:, -1] ** 2))


def rnn_backward__dWx__averaged_over_time(cache, d):
    """You took the mean over the steps. The forward takes none, so the parts add up in full."""
    return d.dWx / cache.x.shape[1]


def rnn_backward__dWx__averaged_over_the_batch(cache, d):
    """You took the mean over the batch. The forward takes none, so the rows add up in full."""
    return d.dWx / cache.x.shape[0]


def rnn_backward__dWh__no_recurrence(dout, cache):
    """You went back through each step by itself. Each h also made the next one, and two uses add."""
    return torch.einsum("nti,nth->ih", _before(cache), _alone(dout, cache))


def rnn_backward__dWh__last_output_only(dout, cache):
    """You began with the last output and left out the others. Every h is an output, so each step adds its own dout."""
    return torch.einsum("nti,nth->ih", _before(cache), _last_output(dout, cache))


def rnn_backward__dWh__not_transposed(dout, cache):
    """From step to step you multiplied by Wh as it stands. It is square and does not warn you: turn it over."""
    return torch.einsum("nti,nth->ih", _before(cache), _not_turned(dout, cache))


def rnn_backward__dWh__past_the_slope(dout, cache):
    """What you pass to the step before has not been through the tanh. It lies between h and the matmul with Wh."""
    return torch.einsum("nti,nth->ih", _before(cache), _past_the_slope(dout, cache))


def rnn_backward__dWh__tanh_skipped(dout, cache):
    """You left out the slope of tanh. Every step passes it."""
    return torch.einsum("nti,nth->ih", _before(cache), _without_slope(dout, cache))


def rnn_backward__dWh__square_missing(dout, cache):
    """The slope of tanh lacks its square."""
    return torch.einsum("nti,nth->ih", _before(cache), _square_missing(dout, cache))


def rnn_backward__dWh__slope_of_the_step_before(dout, cache):
    """You took the slope of tanh at the h that a step began with. It is written with the h that the step made."""
    return torch.einsum("nti,nth->ih", _before(cache), _slope_before(dout, cache))


def rnn_backward__dWh__forward_in_time(dout, cache):
    """You walked from the first step to the last. What comes back arrives from later steps, so begin with the last."""
    return torch.einsum("nti,nth->ih", _before(cache), _forward_in_time(dout, cache))


def rnn_backward__dWh__overwritten(cache, d):
    """You kept one step's part, the first. All steps use the same Wh, so use += and not =."""
    return cache.h0.T @ (d.dh1 * (1 - cache.h[:, 0] ** 2))


def rnn_backward__dWh__first_step_left_out(cache, d):
    """You left out the first step. It uses Wh as well, on h0."""
    return d.dWh - cache.h0.T @ (d.dh1 * (1 - cache.h[:, 0] ** 2))


def rnn_backward__dWh__h_of_the_same_step(cache, d):
    """You multiplied by the h that each step made. Wh was multiplied by the one before it, h0 to begin with."""
    return sum(cache.h[:, k].T @ (getattr(d, f"dh{k + 1}") * (1 - cache.h[:, k] ** 2)) for k in range(cache.h.shape[1]))


def rnn_backward__dWh__averaged_over_time(cache, d):
    """You took the mean over the steps. The forward takes none, so the parts add up in full."""
    return d.dWh / cache.x.shape[1]


def rnn_backward__dWh__averaged_over_the_batch(cache, d):
    """You took the mean over the batch. The forward takes none, so the rows add up in full."""
    return d.dWh / cache.x.shape[0]


def rnn_backward__dWh__transposed(d):
    """Your result is turned over. Its rows belong to the h that goes in. Wh is square and does not warn you."""
    return d.dWh.T


def rnn_backward__db__no_recurrence(dout, cache):
    """You went back through each step by itself. Each h also made the next one, and two uses add."""
    return _alone(dout, cache).sum((0, 1))


def rnn_backward__db__last_output_only(dout, cache):
    """You began with the last output and left out the others. Every h is an output, so each step adds its own dout."""
    return _last_output(dout, cache).sum((0, 1))


def rnn_backward__db__not_transposed(dout, cache):
    """From step to step you multiplied by Wh as it stands. It is square and does not warn you: turn it over."""
    return _not_turned(dout, cache).sum((0, 1))


def rnn_backward__db__past_the_slope(dout, cache):
    """What you pass to the step before has not been through the tanh. It lies between h and the matmul with Wh."""
    return _past_the_slope(dout, cache).sum((0, 1))


def rnn_backward__db__tanh_skipped(dout, cache):
    """You left out the slope of tanh. Every step passes it."""
    return _without_slope(dout, cache).sum((0, 1))


def rnn_backward__db__square_missing(dout, cache):
    """The slope of tanh lacks its square."""
    return _square_missing(dout, cache).sum((0, 1))


def rnn_backward__db__slope_of_the_step_before(dout, cache):
    """You took the slope of tanh at the h that a step began with. It is written with the h that the step made."""
    return _slope_before(dout, cache).sum((0, 1))


def rnn_backward__db__forward_in_time(dout, cache):
    """You walked from the first step to the last. What comes back arrives from later steps, so begin with the last."""
    return _forward_in_time(dout, cache).sum((0, 1))


def rnn_backward__db__overwritten(cache, d):
    """You kept one step's part, the first. The bias is added at every step, so use += and not =."""
    return (d.dh1 * (1 - cache.h[:, 0] ** 2)).sum(0)


def rnn_backward__db__averaged_over_time(cache, d):
    """You took the mean over the steps. The forward takes none, so the parts add up in full."""
    return d.db / cache.x.shape[1]


def rnn_backward__db__averaged_over_the_batch(cache, d):
    """You took the mean over the batch. The forward takes none, so the rows add up in full."""
    return d.db / cache.x.shape[0]


def rnn_backward__db__not_summed_over_time(cache, d):
    """You kept one gradient for each step. One bias serves all steps."""
    return torch.stack([(getattr(d, f"dh{k + 1}") * (1 - cache.h[:, k] ** 2)).sum(0) for k in range(cache.h.shape[1])])


# lstm_step_backward: c = f c_prev + i g, h = o tanh(c)
# What reaches pre (N, 4H), the gates side by side before their curves, when something on the way to it goes wrong.


def _with_memory(memory, d):
    """Return it for another gradient of c: all gates but o have it as a factor."""
    i, f, o, g = d.dpre.chunk(4, dim=1)
    factor = memory / d.dc
    return torch.cat([factor * i, factor * f, o, factor * g], dim=1)


def _memory_forgotten(dc, d):
    return _with_memory(d.dc - dc, d)


def _output_forgotten(dc, d):
    return _with_memory(dc, d)


def _tanh_forgotten(dh, dc, cache, d):
    return _with_memory(dc + dh * cache.o, d)


def _gate_forgotten(dh, dc, cache, d):
    return _with_memory(dc + dh * (1 - cache.c.tanh() ** 2), d)


def _slope_at_c(dh, dc, cache, d):
    return _with_memory(dc + dh * cache.o * (1 - cache.c**2), d)


def _output_gate_by_c(cache, d):
    i, f, o, g = d.dpre.chunk(4, dim=1)
    return torch.cat([i, f, o * cache.c / cache.c.tanh(), g], dim=1)


def _curves_skipped(d):
    return torch.cat([d.di, d.df, d.do, d.dg], dim=1)


def _g_as_sigmoid(cache, d):
    i, f, o, _ = d.dpre.chunk(4, dim=1)
    return torch.cat([i, f, o, d.dg * cache.g * (1 - cache.g)], dim=1)


def _g_before_o(d):
    i, f, o, g = d.dpre.chunk(4, dim=1)
    return torch.cat([i, f, g, o], dim=1)


def _previous_memory_exchanged(cache, d):
    i, f, o, g = d.dpre.chunk(4, dim=1)
    return torch.cat([i, f * cache.c / cache.c_prev, o, g], dim=1)


def lstm_step_backward__dx__memory_forgotten(dc, cache, d):
    """You left out dc. c is an output of its own, and what comes back to it adds to what comes through h."""
    return _memory_forgotten(dc, d) @ cache.Wx.T


def lstm_step_backward__dx__output_forgotten(dc, cache, d):
    """You left out what comes back to c through h. c is used twice, as an output and in h, and two uses add."""
    return _output_forgotten(dc, d) @ cache.Wx.T


def lstm_step_backward__dx__tanh_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the slope of tanh."""
    return _tanh_forgotten(dh, dc, cache, d) @ cache.Wx.T


def lstm_step_backward__dx__output_gate_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the gate o, which tanh(c) is multiplied by."""
    return _gate_forgotten(dh, dc, cache, d) @ cache.Wx.T


def lstm_step_backward__dx__slope_at_c(dh, dc, cache, d):
    """The slope of tanh is written with its result. You put c itself into it, not tanh(c)."""
    return _slope_at_c(dh, dc, cache, d) @ cache.Wx.T


def lstm_step_backward__dx__output_gate_by_c(cache, d):
    """For the gate o you multiplied by c. Its partner in the product is tanh(c)."""
    return _output_gate_by_c(cache, d) @ cache.Wx.T


def lstm_step_backward__dx__curves_skipped(cache, d):
    """You left out the slopes of the gates. Each passes a sigmoid, and g a tanh."""
    return _curves_skipped(d) @ cache.Wx.T


def lstm_step_backward__dx__g_as_sigmoid(cache, d):
    """You took g for a sigmoid. It is the one that passes a tanh."""
    return _g_as_sigmoid(cache, d) @ cache.Wx.T


def lstm_step_backward__dx__g_before_o(cache, d):
    """Your gates stand in the order i, f, g, o. Here it is i, f, o, g."""
    return _g_before_o(d) @ cache.Wx.T


def lstm_step_backward__dx__new_memory_for_old(cache, d):
    """For the gate f you multiplied by c. Its partner is what came in, c_prev."""
    return _previous_memory_exchanged(cache, d) @ cache.Wx.T


def lstm_step_backward__dh_prev__memory_forgotten(dc, cache, d):
    """You left out dc. c is an output of its own, and what comes back to it adds to what comes through h."""
    return _memory_forgotten(dc, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__output_forgotten(dc, cache, d):
    """You left out what comes back to c through h. c is used twice, as an output and in h, and two uses add."""
    return _output_forgotten(dc, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__tanh_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the slope of tanh."""
    return _tanh_forgotten(dh, dc, cache, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__output_gate_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the gate o, which tanh(c) is multiplied by."""
    return _gate_forgotten(dh, dc, cache, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__slope_at_c(dh, dc, cache, d):
    """The slope of tanh is written with its result. You put c itself into it, not tanh(c)."""
    return _slope_at_c(dh, dc, cache, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__output_gate_by_c(cache, d):
    """For the gate o you multiplied by c. Its partner in the product is tanh(c)."""
    return _output_gate_by_c(cache, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__curves_skipped(cache, d):
    """You left out the slopes of the gates. Each passes a sigmoid, and g a tanh."""
    return _curves_skipped(d) @ cache.Wh.T


def lstm_step_backward__dh_prev__g_as_sigmoid(cache, d):
    """You took g for a sigmoid. It is the one that passes a tanh."""
    return _g_as_sigmoid(cache, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__g_before_o(cache, d):
    """Your gates stand in the order i, f, g, o. Here it is i, f, o, g."""
    return _g_before_o(d) @ cache.Wh.T


def lstm_step_backward__dh_prev__new_memory_for_old(cache, d):
    """For the gate f you multiplied by c. Its partner is what came in, c_prev."""
    return _previous_memory_exchanged(cache, d) @ cache.Wh.T


def lstm_step_backward__dh_prev__added(dh, d):
    """You added dh. h_prev does not reach h past the gates."""
    return d.dh_prev + dh


def lstm_step_backward__dWx__memory_forgotten(dc, cache, d):
    """You left out dc. c is an output of its own, and what comes back to it adds to what comes through h."""
    return cache.x.T @ _memory_forgotten(dc, d)


def lstm_step_backward__dWx__output_forgotten(dc, cache, d):
    """You left out what comes back to c through h. c is used twice, as an output and in h, and two uses add."""
    return cache.x.T @ _output_forgotten(dc, d)


def lstm_step_backward__dWx__tanh_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the slope of tanh."""
    return cache.x.T @ _tanh_forgotten(dh, dc, cache, d)


def lstm_step_backward__dWx__output_gate_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the gate o, which tanh(c) is multiplied by."""
    return cache.x.T @ _gate_forgotten(dh, dc, cache, d)


def lstm_step_backward__dWx__slope_at_c(dh, dc, cache, d):
    """The slope of tanh is written with its result. You put c itself into it, not tanh(c)."""
    return cache.x.T @ _slope_at_c(dh, dc, cache, d)


def lstm_step_backward__dWx__output_gate_by_c(cache, d):
    """For the gate o you multiplied by c. Its partner in the product is tanh(c)."""
    return cache.x.T @ _output_gate_by_c(cache, d)


def lstm_step_backward__dWx__curves_skipped(cache, d):
    """You left out the slopes of the gates. Each passes a sigmoid, and g a tanh."""
    return cache.x.T @ _curves_skipped(d)


def lstm_step_backward__dWx__g_as_sigmoid(cache, d):
    """You took g for a sigmoid. It is the one that passes a tanh."""
    return cache.x.T @ _g_as_sigmoid(cache, d)


def lstm_step_backward__dWx__g_before_o(cache, d):
    """Your gates stand in the order i, f, g, o. Here it is i, f, o, g."""
    return cache.x.T @ _g_before_o(d)


def lstm_step_backward__dWx__new_memory_for_old(cache, d):
    """For the gate f you multiplied by c. Its partner is what came in, c_prev."""
    return cache.x.T @ _previous_memory_exchanged(cache, d)


def lstm_step_backward__dWx__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so the rows add up in full."""
    return d.dWx / cache.x.shape[0]


def lstm_step_backward__dWx__transposed(d):
    """Your result is turned over. Wx has a row for each input."""
    return d.dWx.T


def lstm_step_backward__dWh__memory_forgotten(dc, cache, d):
    """You left out dc. c is an output of its own, and what comes back to it adds to what comes through h."""
    return cache.h_prev.T @ _memory_forgotten(dc, d)


def lstm_step_backward__dWh__output_forgotten(dc, cache, d):
    """You left out what comes back to c through h. c is used twice, as an output and in h, and two uses add."""
    return cache.h_prev.T @ _output_forgotten(dc, d)


def lstm_step_backward__dWh__tanh_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the slope of tanh."""
    return cache.h_prev.T @ _tanh_forgotten(dh, dc, cache, d)


def lstm_step_backward__dWh__output_gate_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the gate o, which tanh(c) is multiplied by."""
    return cache.h_prev.T @ _gate_forgotten(dh, dc, cache, d)


def lstm_step_backward__dWh__slope_at_c(dh, dc, cache, d):
    """The slope of tanh is written with its result. You put c itself into it, not tanh(c)."""
    return cache.h_prev.T @ _slope_at_c(dh, dc, cache, d)


def lstm_step_backward__dWh__output_gate_by_c(cache, d):
    """For the gate o you multiplied by c. Its partner in the product is tanh(c)."""
    return cache.h_prev.T @ _output_gate_by_c(cache, d)


def lstm_step_backward__dWh__curves_skipped(cache, d):
    """You left out the slopes of the gates. Each passes a sigmoid, and g a tanh."""
    return cache.h_prev.T @ _curves_skipped(d)


def lstm_step_backward__dWh__g_as_sigmoid(cache, d):
    """You took g for a sigmoid. It is the one that passes a tanh."""
    return cache.h_prev.T @ _g_as_sigmoid(cache, d)


def lstm_step_backward__dWh__g_before_o(cache, d):
    """Your gates stand in the order i, f, g, o. Here it is i, f, o, g."""
    return cache.h_prev.T @ _g_before_o(d)


def lstm_step_backward__dWh__new_memory_for_old(cache, d):
    """For the gate f you multiplied by c. Its partner is what came in, c_prev."""
    return cache.h_prev.T @ _previous_memory_exchanged(cache, d)


def lstm_step_backward__dWh__of_the_new_h(cache, d):
    """You multiplied by the h that goes out. Wh was multiplied by the one that came in, h_prev."""
    return cache.h.T @ d.dpre


def lstm_step_backward__dWh__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so the rows add up in full."""
    return d.dWh / cache.x.shape[0]


def lstm_step_backward__dWh__transposed(d):
    """Your result is turned over. Wh has a row for each entry of h_prev."""
    return d.dWh.T


def lstm_step_backward__db__memory_forgotten(dc, d):
    """You left out dc. c is an output of its own, and what comes back to it adds to what comes through h."""
    return _memory_forgotten(dc, d).sum(0)


def lstm_step_backward__db__output_forgotten(dc, d):
    """You left out what comes back to c through h. c is used twice, as an output and in h, and two uses add."""
    return _output_forgotten(dc, d).sum(0)


def lstm_step_backward__db__tanh_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the slope of tanh."""
    return _tanh_forgotten(dh, dc, cache, d).sum(0)


def lstm_step_backward__db__output_gate_forgotten(dh, dc, cache, d):
    """On the way from h to c you left out the gate o, which tanh(c) is multiplied by."""
    return _gate_forgotten(dh, dc, cache, d).sum(0)


def lstm_step_backward__db__slope_at_c(dh, dc, cache, d):
    """The slope of tanh is written with its result. You put c itself into it, not tanh(c)."""
    return _slope_at_c(dh, dc, cache, d).sum(0)


def lstm_step_backward__db__output_gate_by_c(cache, d):
    """For the gate o you multiplied by c. Its partner in the product is tanh(c)."""
    return _output_gate_by_c(cache, d).sum(0)


def lstm_step_backward__db__curves_skipped(d):
    """You left out the slopes of the gates. Each passes a sigmoid, and g a tanh."""
    return _curves_skipped(d).sum(0)


def lstm_step_backward__db__g_as_sigmoid(cache, d):
    """You took g for a sigmoid. It is the one that passes a tanh."""
    return _g_as_sigmoid(cache, d).sum(0)


def lstm_step_backward__db__g_before_o(d):
    """Your gates stand in the order i, f, g, o. Here it is i, f, o, g."""
    return _g_before_o(d).sum(0)


def lstm_step_backward__db__new_memory_for_old(cache, d):
    """For the gate f you multiplied by c. Its partner is what came in, c_prev."""
    return _previous_memory_exchanged(cache, d).sum(0)


def lstm_step_backward__db__not_summed(d):
    """You kept one gradient for each row. The bias was added to every row, so its gradient collects over them."""
    return d.dpre.clone()


def lstm_step_backward__db__averaged(cache, d):
    """You took the mean over the batch. The forward takes none, so the rows add up in full."""
    return d.db / cache.x.shape[0]


def lstm_step_backward__dc_prev__memory_forgotten(dc, cache, d):
    """You left out dc. c is an output of its own, and what comes back to it adds to what comes through h."""
    return (d.dc - dc) * cache.f


def lstm_step_backward__dc_prev__output_forgotten(dc, cache):
    """You left out what comes back to c through h. c is used twice, as an output and in h, and two uses add."""
    return dc * cache.f


def lstm_step_backward__dc_prev__tanh_forgotten(dh, dc, cache):
    """On the way from h to c you left out the slope of tanh."""
    return (dc + dh * cache.o) * cache.f


def lstm_step_backward__dc_prev__output_gate_forgotten(dh, dc, cache):
    """On the way from h to c you left out the gate o, which tanh(c) is multiplied by."""
    return (dc + dh * (1 - cache.c.tanh() ** 2)) * cache.f


def lstm_step_backward__dc_prev__slope_at_c(dh, dc, cache):
    """The slope of tanh is written with its result. You put c itself into it, not tanh(c)."""
    return (dc + dh * cache.o * (1 - cache.c**2)) * cache.f


def lstm_step_backward__dc_prev__gate_forgotten(d):
    """You passed on all that came to c. The gate f decides how much of c_prev is kept."""
    return d.dc.clone()


def lstm_step_backward__dc_prev__input_gate(cache, d):
    """You multiplied by the gate i. That one is for what is new; c_prev is kept by f."""
    return d.dc * cache.i


def lstm_step_backward__dc_prev__passed_on(dc):
    """You returned dc. What comes through h, and the gate f, are missing."""
    return dc.clone()
