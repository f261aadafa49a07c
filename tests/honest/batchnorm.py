"""Right answers to the batch normalisation exercises, written in other ways than the solution."""

import torch


def batchnorm_steps_backward__lesson(dout, cache):
    n = dout.shape[0]
    dbn_gain = (cache.bn_raw * dout).sum(0)
    dbn_bias = dout.sum(0)
    dbn_raw = cache.bn_gain * dout
    dbn_diff = cache.bn_var_inv * dbn_raw
    dbn_var_inv = (cache.bn_diff * dbn_raw).sum(0, keepdim=True)
    dbn_var = (-0.5 * (cache.bn_var + 1e-5) ** -1.5) * dbn_var_inv
    dbn_diff_sq = (1.0 / n) * torch.ones_like(cache.bn_diff_sq) * dbn_var
    dbn_diff += (2 * cache.bn_diff) * dbn_diff_sq
    dh_prebn = dbn_diff.clone()
    dbn_mean = (-dbn_diff).sum(0, keepdim=True)
    dh_prebn += 1.0 / n * (torch.ones_like(cache.h_prebn) * dbn_mean)
    return dbn_gain, dbn_bias, dbn_raw, dbn_var_inv, dbn_var, dbn_diff_sq, dbn_diff, dbn_mean, dh_prebn


def batchnorm_steps_backward__mean_without_the_square(dout, cache):
    n = len(dout)
    found = batchnorm_steps_backward__lesson(dout, cache)
    dbn_raw = found[2]
    dbn_mean = -(dbn_raw * cache.bn_var_inv).sum(0, keepdim=True)
    return (*found[:7], dbn_mean, found[6] + dbn_mean.expand(dout.shape) / n)


def batchnorm_steps_backward__einsum(dout, cache):
    n = len(dout)
    dbn_gain = torch.einsum("nh,nh->h", dout, cache.bn_raw)
    dbn_bias = torch.einsum("nh->h", dout)
    dbn_raw = torch.einsum("nh,h->nh", dout, cache.bn_gain)
    dbn_var_inv = torch.einsum("nh,nh->h", dbn_raw, cache.bn_diff)[None]
    dbn_var = dbn_var_inv * cache.bn_var_inv**3 / -2
    dbn_diff_sq = (dbn_var / n).repeat(n, 1)
    dbn_diff = dbn_raw * cache.bn_var_inv + cache.bn_diff * dbn_var * (2 / n)
    dbn_mean = dbn_diff.sum(0).neg().unsqueeze(0)
    dh_prebn = batchnorm_backward__long_way(dout, cache.bn_raw, cache.bn_gain, cache.bn_var_inv)[0]
    return dbn_gain, dbn_bias, dbn_raw, dbn_var_inv, dbn_var, dbn_diff_sq, dbn_diff, dbn_mean, dh_prebn


def batchnorm_steps_backward__shortcut(dout, cache):
    found = batchnorm_steps_backward__lesson(dout, cache)
    return (*found[:8], batchnorm_backward__means(dout, cache.bn_raw, cache.bn_gain, cache.bn_var_inv)[0])


def batchnorm_steps_backward__mean_removed(dout, cache):
    found = batchnorm_steps_backward__lesson(dout, cache)
    return (*found[:8], found[6] - found[6].mean(0))


def batchnorm_backward__means(dout, bn_raw, bn_gain, bn_var_inv):
    dbn_gain, dbn_bias = (dout * bn_raw).sum(0), dout.sum(0)
    dh_prebn = bn_gain * bn_var_inv * (dout - dout.mean(0) - bn_raw * (dout * bn_raw).mean(0))
    return dh_prebn, dbn_gain, dbn_bias


def batchnorm_backward__long_way(dout, bn_raw, bn_gain, bn_var_inv):
    n = len(dout)
    bn_diff = bn_raw / bn_var_inv
    dbn_raw = dout * bn_gain
    dbn_var = -0.5 * bn_var_inv**3 * (dbn_raw * bn_diff).sum(0, keepdim=True)
    dbn_diff = dbn_raw * bn_var_inv + 2 / n * bn_diff * dbn_var
    return dbn_diff - dbn_diff.mean(0), torch.einsum("ij,ij->j", bn_raw, dout), torch.ones(n) @ dout


def batchnorm_backward__loops(dout, bn_raw, bn_gain, bn_var_inv):
    n, features = dout.shape
    dh_prebn, dbn_gain, dbn_bias = torch.zeros(n, features), torch.zeros(features), torch.zeros(features)
    for j in range(features):
        for i in range(n):
            dbn_gain[j] += dout[i, j] * bn_raw[i, j]
            dbn_bias[j] += dout[i, j]
        for i in range(n):
            inner = dout[i, j] - dbn_bias[j] / n - bn_raw[i, j] * dbn_gain[j] / n
            dh_prebn[i, j] = bn_gain[j] * bn_var_inv[0, j] * inner
    return dh_prebn, dbn_gain, dbn_bias


def batchnorm_backward__jacobian(dout, bn_raw, bn_gain, bn_var_inv):
    n = len(dout)
    paths = torch.eye(n)[:, :, None] - 1 / n - bn_raw[:, None, :] * bn_raw[None, :, :] / n
    dh_prebn = torch.einsum("kij,kj->ij", paths, dout * bn_gain) * bn_var_inv
    return dh_prebn, (bn_raw * dout).sum(0), dout.sum(0)
