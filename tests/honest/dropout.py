"""Right answers to the dropout exercises, written in other ways than the solution."""

import torch


def dropout_backward__scaled_mask(dout, mask, p):
    scale = mask / (1 - p)
    return scale * dout


def dropout_backward__where(dout, mask, p):
    return torch.where(mask.bool(), dout * (1 / (1 - p)), torch.zeros(()))


def dropout_backward__mask_twice(dout, mask, p):
    return (dout * mask / (1.0 - p)) * mask


def dropout_backward__loops(dout, mask, p):
    dh = torch.zeros_like(dout)
    for n in range(dout.shape[0]):
        for d in range(dout.shape[1]):
            if mask[n, d] == 1:
                dh[n, d] = dout[n, d] / (1 - p)
    return dh


def tanh_dropout_backward__expanded(dout, h, mask, p):
    dh = dout * mask / (1 - p)
    return dh - h * h * dh


def tanh_dropout_backward__factored(dout, h, mask, p):
    return dout * ((1 - h) * (1 + h)) * (mask / (1 - p))


def tanh_dropout_backward__in_place(dout, h, mask, p):
    dh_preact = dout.clone()
    dh_preact[mask == 0] = 0.0
    dh_preact /= 1 - p
    dh_preact *= 1 - h.square()
    return dh_preact
