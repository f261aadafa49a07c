"""Wrong gradients of dropout. Each docstring is what the student is told."""

# dropout_backward


def dropout_backward__dh__scale_missing(dout, mask):
    """You applied the mask and left out the scale. The forward enlarges what it keeps, and nudges of it, too."""
    return dout * mask


def dropout_backward__dh__mask_missing(dout, p):
    """You scaled every entry and left out the mask. A dropped entry cannot change the output."""
    return dout / (1 - p)


def dropout_backward__dh__dropout_ignored(dout):
    """You returned the upstream gradient. The forward drops some entries and enlarges the rest."""
    return dout.clone()


def dropout_backward__dh__mask_inverted(dout, mask, p):
    """You kept the dropped entries and dropped the kept ones. In the mask, 1 stands for kept."""
    return dout * (1 - mask) / (1 - p)


def dropout_backward__dh__divided_by_p(dout, mask, p):
    """You divided by p. Here p is the share that is dropped; the forward divides by the share that is kept."""
    return dout * mask / p


def dropout_backward__dh__multiplied_by_the_kept_share(dout, mask, p):
    """You made kept entries smaller. The forward divides them by a number below one, which makes them larger."""
    return dout * mask * (1 - p)


def dropout_backward__dh__scaled_twice(dout, mask, p):
    """You applied the scale twice. A mask of 0 and 1 may be applied twice without harm, and a scale may not."""
    return dout * mask / (1 - p) ** 2


def dropout_backward__dh__parentheses_lost(dout, mask, p):
    """You divided by 1 and then subtracted p: a division binds tighter than a minus. The answer at a 0 must be 0."""
    return dout * mask / 1 - p


def dropout_backward__dh__share_counted_from_the_mask(dout, mask):
    """You counted how much this mask keeps. The forward scales by the p it was given, whatever the mask drew."""
    return dout * mask / mask.mean()


def dropout_backward__dh__both_shares_mixed(dout, mask, p):
    """You scaled the dropped entries by p as well. What was dropped has no effect at all."""
    return dout * mask / (1 - p) + dout * (1 - mask) * p


# tanh_dropout_backward


def tanh_dropout_backward__dh_preact__scale_missing(dout, h, mask):
    """The scale of dropout is missing. The forward enlarges what it keeps, and nudges of it, too."""
    return dout * mask * (1 - h**2)


def tanh_dropout_backward__dh_preact__mask_missing(dout, h, p):
    """The mask is missing. A dropped entry cannot change the output, so nothing comes back to it."""
    return dout * (1 - h**2) / (1 - p)


def tanh_dropout_backward__dh_preact__mask_inverted(dout, h, mask, p):
    """You kept the dropped entries and dropped the kept ones. In the mask, 1 stands for kept."""
    return dout * (1 - mask) * (1 - h**2) / (1 - p)


def tanh_dropout_backward__dh_preact__dropout_ignored(dout, h):
    """You went back through tanh only. Dropout comes after it in the forward, so it comes first on the way back."""
    return dout * (1 - h**2)


def tanh_dropout_backward__dh_preact__tanh_skipped(dout, mask, p):
    """You stopped at h. Between h_preact and h stands tanh, and it has a slope."""
    return dout * mask / (1 - p)


def tanh_dropout_backward__dh_preact__upstream_missing(h, mask, p):
    """Your answer does not depend on dout. The slopes must be multiplied by what comes back from the output."""
    return mask * (1 - h**2) / (1 - p)


def tanh_dropout_backward__dh_preact__square_missing(dout, h, mask, p):
    """You wrote 1 - h. The slope of tanh is the same at a point and at its mirror image, and yours is not."""
    return dout * mask / (1 - p) * (1 - h)


def tanh_dropout_backward__dh_preact__sigmoid_slope(dout, h, mask, p):
    """This is the slope of a sigmoid. The slope of tanh is largest where h is 0, and yours is 0 there."""
    return dout * mask / (1 - p) * h * (1 - h)


def tanh_dropout_backward__dh_preact__relu_slope(dout, h, mask, p):
    """This is the slope of a ReLU. tanh also rises on the negative side, and it flattens on both sides."""
    return dout * mask / (1 - p) * (h > 0)


def tanh_dropout_backward__dh_preact__sign_of_the_square(dout, h, mask, p):
    """Your slope grows away from 0. tanh flattens there, so its slope must fall."""
    return dout * mask / (1 - p) * (1 + h**2)


def tanh_dropout_backward__dh_preact__parentheses_lost(dout, h, mask, p):
    """Only the 1 was multiplied by what came back, and the square was not: a product binds tighter than a minus."""
    return dout * mask / (1 - p) - h**2


def tanh_dropout_backward__dh_preact__tanh_taken_twice(dout, h, mask, p):
    """You took tanh of h. But h is the output of tanh already."""
    return dout * mask / (1 - p) * (1 - h.tanh() ** 2)


def tanh_dropout_backward__dh_preact__slope_at_the_output(dout, h, mask, p):
    """You took the slope of tanh at the output of dropout. The scale is already in there, and tanh never saw it."""
    return dout * mask / (1 - p) * (1 - (h * mask / (1 - p)) ** 2)


def tanh_dropout_backward__dh_preact__swapped(dout, h, mask, p):
    """You squared the upstream gradient in place of h. Twice the upstream must give twice the answer."""
    return h * (1 - (dout * mask / (1 - p)) ** 2)


def tanh_dropout_backward__dh_preact__divided_by_p(dout, h, mask, p):
    """You divided by p. Here p is the share that is dropped; the forward divides by the share that is kept."""
    return dout * mask / p * (1 - h**2)
