"""A convolution as networks mean it, and a pool of maxima."""

import torch
import torch.nn.functional as F  # noqa: N812 # everybody's name for it


def conv2d_inputs(rng, N, C, H, W, M, K, stride, padding):
    return {
        "x": rng.normal(N, C, H, W),
        "w": rng.normal(M, C, K, K) / (C * K * K) ** 0.5,
        "b": rng.normal(M),
        "stride": stride,
        "padding": padding,
    }


def conv2d(t):
    K = t.w.shape[2]
    t.padded = F.pad(t.x, [t.padding] * 4)
    # (N, C, rows of windows, columns of windows, K, K)
    t.windows = t.padded.unfold(2, K, t.stride).unfold(3, K, t.stride)
    t.out = torch.einsum("ncijkl,mckl->nmij", t.windows, t.w) + t.b[:, None, None]


def maxpool2d_inputs(rng, N, C, H, W, size, stride, ties=False):
    x = rng.normal(N, C, H, W)
    # As behind a relu: many windows have several largest entries.
    return {"x": x.round().relu() if ties else x, "size": size, "stride": stride}


def maxpool2d(t):
    t.windows = t.x.unfold(2, t.size, t.stride).unfold(3, t.size, t.stride)
    t.out = t.windows.flatten(start_dim=4).max(dim=4).values
