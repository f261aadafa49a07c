"""Wrong lines that were written without a look at the course's bank; a docstring says what went wrong."""

import torch


def gpt_backward__dwte__output_forgotten(cache, d):
    """The table is tied: the way through the logits is forgotten."""
    return torch.zeros_like(cache.wte).index_add(0, cache.X.flatten(), d.dx_0.flatten(0, 1))


def gpt_backward__dwte__lookup_forgotten(cache, d):
    """The table is tied: the lookup is forgotten."""
    return d.dlogits.flatten(0, 1).T @ cache.lnf.flatten(0, 1)


def gpt_backward__dwte__lookup_assigned(cache, d):
    """The lookup keeps the last of equal tokens."""
    found = d.dlogits.flatten(0, 1).T @ cache.lnf.flatten(0, 1)
    found[cache.X.flatten()] += d.dx_0.flatten(0, 1)
    return found


def gpt_backward__dwte__of_the_targets(cache, d):
    """Looked up by the targets."""
    found = d.dlogits.flatten(0, 1).T @ cache.lnf.flatten(0, 1)
    return found.index_add(0, cache.Y.flatten().clamp(min=0), d.dx_0.flatten(0, 1))


def gpt_backward__dwpe__rows_of_the_sequence(cache, d):
    """T rows: the table has more."""
    return d.dx_0.sum(0)


def gpt_backward__dwpe__not_summed(cache, d):
    """One sequence only."""
    found = torch.zeros_like(cache.wpe)
    found[: cache.X.shape[1]] = d.dx_0[0]
    return found


def gpt_backward__dwpe__mean(cache, d):
    """A mean over the sequences."""
    found = torch.zeros_like(cache.wpe)
    found[: cache.X.shape[1]] = d.dx_0.mean(0)
    return found


def gpt_backward__dwpe__last_rows(cache, d):
    """The last rows of the table."""
    found = torch.zeros_like(cache.wpe)
    found[-cache.X.shape[1] :] = d.dx_0.sum(0)
    return found


def _dlogits(cache, keep=True, count=None):
    p = cache.logits.softmax(-1).flatten(0, 1)
    target = cache.Y.flatten()
    counted = target != cache.ignore_index
    hot = torch.zeros_like(p)
    hot[counted, target[counted]] = 1
    found = p - hot
    if keep:
        found = found * counted[:, None]
    return (found / (counted.sum() if count is None else count)).view(cache.logits.shape)


def _final(cache, dlogits):
    dlnf = dlogits @ cache.wte
    return (dlnf * cache.lnf_raw).sum((0, 1)), dlnf.sum((0, 1))


def gpt_backward__dlnf_gain__not_masked(cache):
    """The ignored places count."""
    return _final(cache, _dlogits(cache, keep=False))[0]


def gpt_backward__dlnf_bias__not_masked(cache):
    """The ignored places count."""
    return _final(cache, _dlogits(cache, keep=False))[1]


def gpt_backward__dlnf_bias__divided_by_all(cache):
    """Divided by all places, the ignored ones as well."""
    return _final(cache, _dlogits(cache, count=cache.Y.numel()))[1]


def gpt_backward__dlnf_gain__not_divided(cache):
    """Not divided."""
    return _final(cache, _dlogits(cache, count=1))[0]


def gpt_backward__dlnf_gain__of_lnf(cache, d):
    """lnf in place of lnf_raw."""
    return (d.dlnf * cache.lnf).sum((0, 1))


def gpt_backward__dW2_1__first_block(cache, d):
    """What came back to the first block."""
    return torch.einsum("btk,btj->kj", cache.act_1, d.dx_1)


def gpt_backward__db2_0__of_the_output(cache, d):
    """What came back to the second block."""
    return d.dx_2.sum((0, 1))


def gpt_backward__dWo_0__skip_forgotten(cache, d):
    """The residual around the network is forgotten."""
    return torch.einsum("btk,btj->kj", cache.merged_0, d.dmid_0 - d.dx_1)


def gpt_backward__db2_1__mean(cache, d):
    """A mean."""
    return d.dx_2.mean((0, 1))
