"""Right answers for `convolution`, written in other ways than the solution."""

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it


def conv2d_backward__loops(dout, x, w, b, stride, padding):
    N, C, H, W = x.shape
    M, _, K, _ = w.shape
    _, _, rows, columns = dout.shape
    x_pad = torch.zeros(N, C, H + 2 * padding, W + 2 * padding)
    x_pad[:, :, padding : padding + H, padding : padding + W] = x
    dx_pad, dw, db = torch.zeros_like(x_pad), torch.zeros_like(w), torch.zeros_like(b)
    for n in range(N):
        for m in range(M):
            db[m] += dout[n, m].sum()
            for i in range(0, rows):
                for j in range(0, columns):
                    top, left = i * stride, j * stride
                    dw[m] += x_pad[n, :, top : top + K, left : left + K] * dout[n, m, i, j]
                    dx_pad[n, :, top : top + K, left : left + K] += w[m] * dout[n, m, i, j]
    dx = dx_pad[:, :, padding : padding + H, padding : padding + W]
    return dx, dw, db


def conv2d_backward__by_columns(dout, x, w, b, stride, padding):
    N, _, H, W = x.shape
    M, _, K, _ = w.shape
    columns = F.unfold(x, K, padding=padding, stride=stride)  # (N, C K K, places)
    flat = dout.reshape(N, M, -1)
    dw = torch.einsum("nmp,nqp->mq", flat, columns).view_as(w)
    dcolumns = w.reshape(M, -1).T @ flat
    dx = F.fold(dcolumns, (H, W), K, padding=padding, stride=stride)
    return {"db": flat.sum((0, 2)), "dw": dw, "dx": dx}


def conv2d_backward__entry_of_the_filter_by_entry(dout, x, w, b, stride, padding):
    # For each entry of the filter, all windows at once.
    rows, columns = dout.shape[2:]
    K = w.shape[-1]
    padded = F.pad(x, (padding, padding, padding, padding))
    dpadded, dw = torch.zeros_like(padded), torch.zeros_like(w)
    for k in range(K):
        for l in range(K):  # noqa: E741 # as in the formula
            part = (..., slice(k, k + rows * stride, stride), slice(l, l + columns * stride, stride))
            seen = padded[part][:, :, :rows, :columns]
            dw[:, :, k, l] = torch.tensordot(dout, seen, dims=([0, 2, 3], [0, 2, 3]))
            place = (
                ...,
                slice(k, k + (rows - 1) * stride + 1, stride),
                slice(l, l + (columns - 1) * stride + 1, stride),
            )
            dpadded[place] += torch.tensordot(dout, w[:, :, k, l], dims=([1], [0])).permute(0, 3, 1, 2)
    H, W = x.shape[2:]
    return dpadded[:, :, padding : padding + H, padding : padding + W], dw, dout.sum(3).sum(2).sum(0)


def conv2d_backward__transposed(dout, x, w, b, stride, padding):
    H, W = x.shape[2:]
    K = w.shape[2]
    full = F.conv_transpose2d(dout, w, stride=stride)
    rest = (H + 2 * padding - full.shape[2], W + 2 * padding - full.shape[3])
    dx = F.pad(full, [0, rest[1], 0, rest[0]])[:, :, padding : H + padding, padding : W + padding]
    # Images as channels: their windows, laid on the upstream gradient that is spread out by the stride.
    dw = F.conv2d(x.transpose(0, 1), dout.transpose(0, 1), padding=padding, dilation=stride)
    return dx, dw.transpose(0, 1)[:, :, :K, :K], torch.einsum("nmij->m", dout)


def maxpool2d_backward__loops(dout, x, size, stride):
    dx = torch.zeros_like(x)
    N, C, rows, columns = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(rows):
                for j in range(columns):
                    window = x[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
                    k, l = divmod(int(window.argmax()), size)  # noqa: E741 # as in the formula
                    dx[n, c, i * stride + k, j * stride + l] += dout[n, c, i, j]
    return dx


def maxpool2d_backward__by_indices(dout, x, size, stride):
    _, index = F.max_pool2d(x, size, stride, return_indices=True)
    dx = torch.zeros_like(x).flatten(2)
    dx.scatter_add_(2, index.flatten(2), dout.flatten(2))
    return dx.view_as(x)


def maxpool2d_backward__by_columns(dout, x, size, stride):
    N, C, H, W = x.shape
    columns = F.unfold(x.reshape(N * C, 1, H, W), size, stride=stride)
    taken = F.one_hot(columns.max(1).indices, size * size).transpose(1, 2).to(dout.dtype)
    return F.fold(taken * dout.reshape(N * C, 1, -1), (H, W), size, stride=stride).view(N, C, H, W)
