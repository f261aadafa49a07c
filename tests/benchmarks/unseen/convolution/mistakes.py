"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it


def _loop(dout, x, w, stride, padding, step=None, assign=False, flip=False, first_image=False, shift=0):
    """The four loops that people write, with a slip in them."""
    K = w.shape[2]
    step = stride if step is None else step
    padded = F.pad(x, [padding] * 4)
    dpadded, dw = torch.zeros_like(padded), torch.zeros_like(w)
    kernel = w.flip(2, 3) if flip else w
    for n in range(1 if first_image else x.shape[0]):
        for m in range(w.shape[0]):
            for i in range(dout.shape[2] - shift):
                for j in range(dout.shape[3] - shift):
                    rows, columns = slice(i * step, i * step + K), slice(j * step, j * step + K)
                    dw[m] += padded[n, :, rows, columns] * dout[n, m, i, j]
                    if assign:
                        dpadded[n, :, rows, columns] = kernel[m] * dout[n, m, i, j]
                    else:
                        dpadded[n, :, rows, columns] += kernel[m] * dout[n, m, i, j]
    return dpadded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]], dw


def conv2d_backward__dx__kernel_flipped(dout, x, w, stride, padding):
    """The kernel is turned by 180 degrees."""
    return _loop(dout, x, w, stride, padding, flip=True)[0]


def conv2d_backward__dx__assigned(dout, x, w, stride, padding):
    """= in place of +=, in the loop over windows and filters."""
    return _loop(dout, x, w, stride, padding, assign=True)[0]


def conv2d_backward__dx__windows_assigned(x, stride, padding, d):
    """= in place of +=, in a loop over windows alone, from the last to the first."""
    found = torch.zeros_like(d.dpadded)
    K = d.dwindows.shape[4]
    for i in reversed(range(d.dwindows.shape[2])):
        for j in reversed(range(d.dwindows.shape[3])):
            found[:, :, i * stride : i * stride + K, j * stride : j * stride + K] = d.dwindows[:, :, i, j]
    return found[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]


def conv2d_backward__dx__stride_missing(dout, x, w, stride, padding):
    """The stride is missing in the slices."""
    return _loop(dout, x, w, stride, padding, step=1)[0]


def conv2d_backward__dx__loop_too_short(dout, x, w, stride, padding):
    """The loops end one window too soon."""
    return _loop(dout, x, w, stride, padding, shift=1)[0]


def conv2d_backward__dx__first_image(dout, x, w, stride, padding):
    """Only the first image: return inside the loop."""
    return _loop(dout, x, w, stride, padding, first_image=True)[0]


def conv2d_backward__dx__padding_kept(dout, x, w, stride, padding, d):
    """Not cut."""
    return d.dpadded.clone()


def conv2d_backward__dx__cut_from_the_left(x, d):
    """[:H, :W] in place of [p:p+H, p:p+W]."""
    return d.dpadded[:, :, : x.shape[2], : x.shape[3]].clone()


def conv2d_backward__dx__one_filter(dout, x, w, stride, padding):
    """The first filter only."""
    return _loop(dout[:, :1], x, w[:1], stride, padding)[0]


def conv2d_backward__dw__reversed(dout, x, w, stride, padding):
    """The weight gradient comes out reversed, as of a true convolution."""
    return _loop(dout, x, w, stride, padding)[1].flip(2, 3)


def conv2d_backward__dw__stride_missing(dout, x, w, stride, padding):
    """The stride is missing in the slices."""
    return _loop(dout, x, w, stride, padding, step=1)[1]


def conv2d_backward__dw__loop_too_short(dout, x, w, stride, padding):
    """The loops end one window too soon."""
    return _loop(dout, x, w, stride, padding, shift=1)[1]


def conv2d_backward__dw__first_image(dout, x, w, stride, padding):
    """Only the first image."""
    return _loop(dout, x, w, stride, padding, first_image=True)[1]


def conv2d_backward__dw__mean_over_images(dout, x, w, stride, padding):
    """A mean over the batch."""
    return _loop(dout, x, w, stride, padding)[1] / x.shape[0]


def conv2d_backward__dw__not_padded(dout, x, w, stride, padding):
    """x is not padded: moved to the corner."""
    return _loop(dout, F.pad(x, [0, 2 * padding] * 2), w, stride, 0)[1]


def conv2d_backward__dw__turned(dout, x, w, stride, padding):
    """Rows and columns of the kernel are exchanged."""
    return _loop(dout, x, w, stride, padding)[1].mT


def conv2d_backward__dw__channels_summed(dout, x, w, stride, padding):
    """x is summed over its channels, as with an image of grey."""
    return _loop(dout, x.sum(1, keepdim=True).expand_as(x), w, stride, padding)[1]


def conv2d_backward__db__over_batch_only(dout):
    """Summed over the images only."""
    return dout.sum(0)


def conv2d_backward__db__mean(dout):
    """A mean."""
    return dout.mean((0, 2, 3))


def conv2d_backward__db__one_place(dout):
    """The first place only."""
    return dout[:, :, 0, 0].sum(0)


def conv2d_backward__db__batch_mean(dout):
    """Divided by the number of images."""
    return dout.sum((0, 2, 3)) / dout.shape[0]


def _pool(dout, x, size, stride, share, step=None, assign=False):
    """The loop over windows, with a slip in it."""
    step = stride if step is None else step
    found = torch.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            place = (..., slice(i * step, i * step + size), slice(j * step, j * step + size))
            part = share(x[place], dout[:, :, i, j, None, None])
            found[place] = part if assign else found[place] + part
    return found


def _mask(window, g):
    return (window == window.amax((2, 3), keepdim=True)) * g


def _winner(window, g):
    flat = torch.zeros_like(window.flatten(2))
    return flat.scatter(2, window.flatten(2).argmax(2, keepdim=True), g.flatten(2)).view(window.shape)


def maxpool2d_backward__dx__mask_of_all_maxima(dout, x, size, stride):
    """window == max: all of equal entries get the gradient."""
    return _pool(dout, x, size, stride, _mask)


def maxpool2d_backward__dx__assigned(dout, x, size, stride):
    """= in place of +=."""
    return _pool(dout, x, size, stride, _winner, assign=True)


def maxpool2d_backward__dx__every_entry(dout, x, size, stride):
    """Every entry of a window gets the gradient."""
    return _pool(dout, x, size, stride, lambda window, g: g.expand_as(window))


def maxpool2d_backward__dx__average(dout, x, size, stride):
    """The rule of an average pool."""
    return _pool(dout, x, size, stride, lambda window, g: g.expand_as(window) / size**2)


def maxpool2d_backward__dx__size_for_stride(dout, x, size, stride):
    """size in place of stride, where it fits."""
    rows, columns = (x.shape[2] - size) // size + 1, (x.shape[3] - size) // size + 1
    return _pool(dout[:, :, :rows, :columns], x, size, stride, _winner, step=min(size, stride + 1))


def maxpool2d_backward__dx__value_multiplied(dout, x, size, stride):
    """The maximum is multiplied in."""
    return _pool(dout, x, size, stride, lambda window, g: window * _winner(window, g))


def maxpool2d_backward__dx__upstream_forgotten(dout, x, size, stride):
    """One in place of the upstream."""
    return _pool(torch.ones_like(dout), x, size, stride, _winner)


def maxpool2d_backward__dx__loop_too_short(dout, x, size, stride):
    """The last row and column of windows are left out."""
    return _pool(dout[:, :, :-1, :-1], x, size, stride, _winner)


def maxpool2d_backward__dx__shared_among_ties(dout, x, size, stride):
    """Ties share the gradient."""
    return _pool(dout, x, size, stride, lambda w, g: _mask(w, g) / _mask(w, torch.ones_like(g)).sum((2, 3), True))


def maxpool2d_backward__dx__last_of_ties(dout, x, size, stride):
    """The last of equal entries."""

    def last(window, g):
        return _winner(window.flip(2, 3), g).flip(2, 3)

    return _pool(dout, x, size, stride, last)


# A second list, written when the first had been used to mend with.


def conv2d_backward__dx__later_window_from_the_end(dout, x, w, stride, padding):
    """The border is cut with -padding, also where it is 0."""
    return _loop(dout, x, w, stride, padding)[0].roll((1, 1), (2, 3)) if padding else _loop(dout, x, w, stride, 0)[0]


def conv2d_backward__dx__later_turned(dout, x, w, stride, padding):
    """Rows and columns of the kernel are exchanged."""
    return _loop(dout, x, w.mT, stride, padding)[0]


def conv2d_backward__dw__later_last_filter_row(dout, x, w, stride, padding):
    """The first row of windows only."""
    return _loop(dout[:, :, :1], x, w, stride, padding)[1]


def conv2d_backward__dw__later_upstream_flipped(dout, x, w, stride, padding):
    """The upstream is turned round."""
    return _loop(dout.flip(2, 3), x, w, stride, padding)[1]


def conv2d_backward__db__later_first_image(dout):
    """The first image only."""
    return dout[0].sum((1, 2))


def maxpool2d_backward__dx__later_mean_of_overlaps(dout, x, size, stride):
    """What comes from several windows is averaged."""
    counts = _pool(torch.ones_like(dout), x, size, stride, lambda window, g: g.expand_as(window)).clamp(min=1)
    return _pool(dout, x, size, stride, _winner) / counts


def maxpool2d_backward__dx__later_first_image(dout, x, size, stride):
    """The first channel only."""
    only = torch.zeros_like(dout)
    only[:, :1] = dout[:, :1]
    return _pool(only, x, size, stride, _winner)
