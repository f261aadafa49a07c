"""Wrong gradients that people write for convolution and pooling. Each docstring is what the student is told."""

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it


def _windows(x, size, stride):
    """Return a view of all windows: (N, C, rows of windows, columns of windows, size, size)."""
    return x.unfold(2, size, stride).unfold(3, size, stride)


def _overwritten(x, parts, stride):
    """Put the windows of `parts` into zeros, each over those before it."""
    found = torch.zeros_like(x)
    size = parts.shape[4]
    for i in range(parts.shape[2]):
        for j in range(parts.shape[3]):
            top, left = i * stride, j * stride
            found[:, :, top : top + size, left : left + size] = parts[:, :, i, j]
    return found


def _stride_forgotten(x, parts):
    """Add the windows of `parts` up as if each began one entry behind the one before it."""
    found = torch.zeros_like(x)
    size = parts.shape[4]
    for i in range(parts.shape[2]):
        for j in range(parts.shape[3]):
            found[:, :, i : i + size, j : j + size] += parts[:, :, i, j]
    return found


def _cut(padded, x, padding):
    return padded[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]


# conv2d_backward


def conv2d_backward__dx__overwritten(x, stride, padding, d):
    """Where windows overlap you kept the last one only. What an entry gets from several windows adds up: use +=."""
    return _cut(_overwritten(d.dpadded, d.dwindows, stride), x, padding)


def conv2d_backward__dx__border_kept(d):
    """You returned the gradient of the padded x. Cut the border off: x has none."""
    return d.dpadded.clone()


def conv2d_backward__dx__cut_at_one_side(x, d):
    """You cut the border off at the far sides only. It lies around x on all sides, so begin behind the first of it."""
    return d.dpadded[:, :, : x.shape[2], : x.shape[3]].clone()


def conv2d_backward__dx__stride_forgotten(x, padding, d):
    """You let the windows begin one entry after the other. The forward goes on by the stride."""
    return _cut(_stride_forgotten(d.dpadded, d.dwindows), x, padding)


def conv2d_backward__dx__filter_turned(dout, x, w, stride, padding):
    """You turned the filters around. That is right for the sums over shifted outputs, not for adding windows up."""
    parts = torch.einsum("nmij,mckl->ncijkl", dout, w.flip(2, 3))
    padded, size = F.pad(torch.zeros_like(x), [padding] * 4), w.shape[2]
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            padded[:, :, top : top + size, left : left + size] += parts[:, :, i, j]
    return _cut(padded, x, padding)


def conv2d_backward__dx__last_filter_only(dout, x, w, stride, padding):
    """You kept the last filter's part. Every filter reads the same window, so their parts add up: use +=."""
    padded, size = F.pad(torch.zeros_like(x), [padding] * 4), w.shape[2]
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            padded[:, :, top : top + size, left : left + size] += dout[:, -1, i, j, None, None, None] * w[-1]
    return _cut(padded, x, padding)


def conv2d_backward__dx__averaged(dout, d):
    """You took the mean over the filters. The forward takes none, so their parts add up in full."""
    return d.dx / dout.shape[1]


def conv2d_backward__dx__filter_summed(dout, x, w, stride, padding):
    """You used each filter's sum over its channels. Each channel of x met its own slice of the filter."""
    parts = torch.einsum("nmij,mkl->nijkl", dout, w.sum(1))
    padded, size = F.pad(torch.zeros_like(x), [padding] * 4), w.shape[2]
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            padded[:, :, top : top + size, left : left + size] += parts[:, None, i, j]
    return _cut(padded, x, padding)


def conv2d_backward__dw__averaged(dout, d):
    """You took the mean over the images. The forward takes none, so their parts add up in full."""
    return d.dw / dout.shape[0]


def conv2d_backward__dw__averaged_over_places(dout, d):
    """You took the mean over the places. One filter serves them all, and their parts add up in full."""
    return d.dw / (dout.shape[2] * dout.shape[3])


def conv2d_backward__dw__filter_turned(d):
    """Your filters are turned around. The forward lays them on the windows as they are, so nothing is turned."""
    return d.dw.flip(2, 3)


def conv2d_backward__dw__last_window_only(dout, x, w, stride, padding):
    """You kept the last window's part. One filter serves all windows, so their parts add up: use +=."""
    windows = _windows(F.pad(x, [padding] * 4), w.shape[2], stride)
    return torch.einsum("nckl,nm->mckl", windows[:, :, -1, -1], dout[:, :, -1, -1])


def conv2d_backward__dw__last_image_only(dout, x, w, stride, padding):
    """You kept the last image's part. One filter serves all images, so their parts add up: use +=."""
    windows = _windows(F.pad(x, [padding] * 4), w.shape[2], stride)
    return torch.einsum("cijkl,mij->mckl", windows[-1], dout[-1])


def conv2d_backward__dw__stride_forgotten(dout, x, w, padding):
    """You took windows that begin one entry after the other. The forward goes on by the stride."""
    windows = _windows(F.pad(x, [padding] * 4), w.shape[2], 1)
    windows = windows[:, :, : dout.shape[2], : dout.shape[3]]
    return torch.einsum("ncijkl,nmij->mckl", windows, dout)


def conv2d_backward__dw__border_at_one_side(dout, x, w, stride, padding):
    """Your border lies at the far sides only. The forward has it all around, and its windows begin in it."""
    windows = _windows(F.pad(x, [0, 2 * padding, 0, 2 * padding]), w.shape[2], stride)
    return torch.einsum("ncijkl,nmij->mckl", windows, dout)


def conv2d_backward__dw__channels_first(d):
    """Your first two axes are exchanged. w has its filters first, then the channels of x."""
    return d.dw.transpose(0, 1)


def conv2d_backward__dw__channels_mixed(dout, x, w, stride, padding):
    """You summed over the channels of x. Each channel met its own slice of the filter."""
    windows = _windows(F.pad(x, [padding] * 4), w.shape[2], stride)
    return torch.einsum("ncijkl,nmij->mkl", windows, dout)[:, None].expand_as(w)


def conv2d_backward__db__batch_only(dout):
    """You summed over the images only. The bias was added at every place of each, so its gradient collects there."""
    return dout.sum(0)


def conv2d_backward__db__places_only(dout):
    """You summed over the places only. The bias was added in every image, so its gradient collects there, too."""
    return dout.sum((2, 3))


def conv2d_backward__db__averaged(dout):
    """You took the mean. The bias was added in every image at every place, and what comes back adds up in full."""
    return dout.mean((0, 2, 3))


def conv2d_backward__db__averaged_over_images(dout):
    """You took the mean over the images. The forward takes none, so what they send back adds up in full."""
    return dout.sum((2, 3)).mean(0)


def conv2d_backward__db__summed_to_one(dout):
    """You summed over the filters as well. Each has a bias of its own."""
    return dout.sum()


# maxpool2d_backward


def _wide(dout, size):
    """Return the upstream gradient for every entry of every window."""
    return dout[..., None, None].expand(*dout.shape, size, size)


def _added(x, parts, stride):
    found, size = torch.zeros_like(x), parts.shape[4]
    for i in range(parts.shape[2]):
        for j in range(parts.shape[3]):
            top, left = i * stride, j * stride
            found[:, :, top : top + size, left : left + size] += parts[:, :, i, j]
    return found


def maxpool2d_backward__dx__overwritten(x, stride, d):
    """Where windows overlap you kept the last one only. An entry may be the largest of several windows: use +=."""
    return _overwritten(x, d.dwindows, stride)


def maxpool2d_backward__dx__to_every_entry(dout, x, size, stride):
    """You gave every entry of a window the gradient. Only the largest one moves the maximum."""
    return _added(x, _wide(dout, size), stride)


def maxpool2d_backward__dx__averaged(dout, x, size, stride):
    """This is the backward of a pool of means. Only the largest entry of a window moves the maximum."""
    return _added(x, _wide(dout, size) / size**2, stride)


def maxpool2d_backward__dx__stride_forgotten(x, d):
    """You let the windows begin one entry after the other. The forward goes on by the stride."""
    return _stride_forgotten(x, d.dwindows)


def maxpool2d_backward__dx__times_the_maximum(x, d):
    """You multiplied by the maximum. The slope towards the largest entry is 1, however large it is."""
    return d.dx * x


def maxpool2d_backward__dx__smallest(dout, x, size, stride):
    """You gave it to the smallest entry of each window. It is the largest that moves the maximum."""
    windows = _windows(x, size, stride)
    return _added(x, _wide(dout, size) * (windows == windows.amin((4, 5), keepdim=True)), stride)


def maxpool2d_backward__dx__to_all_of_equal_ones(dout, x, size, stride):
    """Of several largest entries you gave the whole gradient to each. They have it once: the first takes it."""
    windows = _windows(x, size, stride)
    return _added(x, _wide(dout, size) * (windows == windows.amax((4, 5), keepdim=True)), stride)


def maxpool2d_backward__dx__shared_by_equal_ones(dout, x, size, stride):
    """You shared the gradient among several largest entries. Here the first of them takes all, as in torch."""
    windows = _windows(x, size, stride)
    largest = (windows == windows.amax((4, 5), keepdim=True)).double()
    return _added(x, _wide(dout, size) * largest / largest.sum((4, 5), keepdim=True), stride)


def maxpool2d_backward__dx__last_of_equal_ones(dout, x, size, stride):
    """Of several largest entries you chose the last. Here the first takes all, as in torch."""
    windows = _windows(x, size, stride).flatten(4)
    last = windows.shape[4] - 1 - windows.flip(4).argmax(4, keepdim=True)
    parts = torch.zeros_like(windows).scatter(4, last, dout[..., None])
    return _added(x, parts.unflatten(4, (size, size)), stride)


def maxpool2d_backward__dx__upstream_missing(d):
    """You marked the largest entries. What comes back from the output has to be in it."""
    return (d.dx != 0).double()
