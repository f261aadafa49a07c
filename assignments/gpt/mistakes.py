"""Wrong gradients that people write for GPT. Each docstring is what the student is told."""

import torch


def _looked_up(dx_0, cache):
    return torch.zeros_like(cache.wte).index_put((cache.X,), dx_0, accumulate=True)


def _count(cache):
    """Return the share of the targets that count."""
    return (cache.ignore_index != cache.Y).double().mean()


def _ignored_kept(cache):
    """Return the gradient of the logits in which a target that is ignored counts as the last token."""
    counted = (cache.ignore_index != cache.Y).sum()
    target = torch.nn.functional.one_hot(cache.Y % cache.logits.shape[2], cache.logits.shape[2])
    return (cache.logits.softmax(2) - target) / counted


# dwte: used at both ends


def gpt_backward__dwte__output_only(cache, d):
    """This is what comes from the output. wte also looks the tokens up, and two uses add."""
    return torch.einsum("btv,bte->ve", d.dlogits, cache.lnf)


def gpt_backward__dwte__input_only(cache, d):
    """This is what comes from the tokens that were looked up. wte also makes the logits, and two uses add."""
    return _looked_up(d.dx_0, cache)


def gpt_backward__dwte__repeated_tokens_lost(cache, d):
    """A token that occurs twice kept one of its gradients. Indexing with = or += does not collect."""
    found = torch.einsum("btv,bte->ve", d.dlogits, cache.lnf)
    found[cache.X] += d.dx_0
    return found


def gpt_backward__dwte__of_the_last_block(cache, d):
    """At the output you used what goes into the final layer norm. wte was multiplied by what comes out of it."""
    return torch.einsum("btv,bte->ve", d.dlogits, cache.x_2) + _looked_up(d.dx_0, cache)


def gpt_backward__dwte__too_late(cache, d):
    """You looked the tokens up for the gradient behind the first block. The table lies in front of it."""
    return torch.einsum("btv,bte->ve", d.dlogits, cache.lnf) + _looked_up(d.dx_1, cache)


def gpt_backward__dwte__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dwte * _count(cache)


# dwpe: a row for each position


def gpt_backward__dwpe__batch_not_summed(d):
    """You kept one gradient for each sequence. They all use the same positions, so what they send back adds up."""
    return d.dx_0.clone()


def gpt_backward__dwpe__rows_missing(d):
    """You returned rows for the positions that occurred. wpe has more of them, and theirs are zero."""
    return d.dx_0.sum(0)


def gpt_backward__dwpe__averaged(cache, d):
    """You took the mean over the sequences. The forward takes none, so what they send back adds up in full."""
    return d.dwpe / cache.X.shape[0]


def gpt_backward__dwpe__looked_up_by_token(cache, d):
    """You looked the rows up by token. A row of wpe belongs to a position."""
    rows = len(cache.wpe)
    return torch.zeros_like(cache.wpe).index_put((cache.X % rows,), d.dx_0, accumulate=True)


def gpt_backward__dwpe__too_late(cache, d):
    """You used the gradient behind the first block. The positions were added in front of it."""
    found = torch.zeros_like(cache.wpe)
    found[: cache.X.shape[1]] = d.dx_1.sum(0)
    return found


def gpt_backward__dwpe__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dwpe * _count(cache)


# The blocks: what goes into each from behind


def gpt_backward__db2_1__final_norm_skipped(d):
    """You gave the second block the gradient behind the final layer norm. Go back through that first."""
    return d.dlnf.sum((0, 1))


def gpt_backward__db2_1__of_the_first_block(d):
    """You gave the second block the upstream gradient of the first. The last block comes first."""
    return d.dx_1.sum((0, 1))


def gpt_backward__db2_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.db2_1 * _count(cache)


def gpt_backward__db2_0__of_the_second_block(d):
    """You gave the first block the upstream gradient of the second. It gets what the second returned for its x."""
    return d.dx_2.sum((0, 1))


def gpt_backward__db2_0__block_passed_twice(d):
    """You gave the first block the gradient of its own input. Its upstream is the gradient of what it made."""
    return d.dx_0.sum((0, 1))


def gpt_backward__db2_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.db2_0 * _count(cache)


def gpt_backward__dW2_1__values_of_the_first_block(cache, d):
    """You took the values of the first block. Each block has a cache of its own."""
    return torch.einsum("btf,bte->fe", cache.act_0, d.dx_2)


def gpt_backward__dW2_0__values_of_the_second_block(cache, d):
    """You took the values of the second block. Each block has a cache of its own."""
    return torch.einsum("btf,bte->fe", cache.act_1, d.dx_1)


# The parameters of the blocks: the loss as a mean over all targets, and one block for the other


def gpt_backward__dln1_gain_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln1_gain_0 * _count(cache)


def gpt_backward__dln1_gain_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dln1_gain_1.clone()


def gpt_backward__dln1_bias_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln1_bias_0 * _count(cache)


def gpt_backward__dln1_bias_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dln1_bias_1.clone()


def gpt_backward__dWqkv_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dWqkv_0 * _count(cache)


def gpt_backward__dWqkv_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dWqkv_1.clone()


def gpt_backward__dWo_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dWo_0 * _count(cache)


def gpt_backward__dWo_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dWo_1.clone()


def gpt_backward__dln2_gain_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln2_gain_0 * _count(cache)


def gpt_backward__dln2_gain_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dln2_gain_1.clone()


def gpt_backward__dln2_bias_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln2_bias_0 * _count(cache)


def gpt_backward__dln2_bias_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dln2_bias_1.clone()


def gpt_backward__dW1_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dW1_0 * _count(cache)


def gpt_backward__dW1_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dW1_1.clone()


def gpt_backward__db1_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.db1_0 * _count(cache)


def gpt_backward__db1_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.db1_1.clone()


def gpt_backward__dW2_0__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dW2_0 * _count(cache)


def gpt_backward__dW2_0__of_the_other_block(d):
    """This is the gradient of the second block. Look at the order in which you return them."""
    return d.dW2_1.clone()


def gpt_backward__dln1_gain_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln1_gain_1 * _count(cache)


def gpt_backward__dln1_gain_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dln1_gain_0.clone()


def gpt_backward__dln1_bias_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln1_bias_1 * _count(cache)


def gpt_backward__dln1_bias_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dln1_bias_0.clone()


def gpt_backward__dWqkv_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dWqkv_1 * _count(cache)


def gpt_backward__dWqkv_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dWqkv_0.clone()


def gpt_backward__dWo_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dWo_1 * _count(cache)


def gpt_backward__dWo_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dWo_0.clone()


def gpt_backward__dln2_gain_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln2_gain_1 * _count(cache)


def gpt_backward__dln2_gain_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dln2_gain_0.clone()


def gpt_backward__dln2_bias_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dln2_bias_1 * _count(cache)


def gpt_backward__dln2_bias_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dln2_bias_0.clone()


def gpt_backward__dW1_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dW1_1 * _count(cache)


def gpt_backward__dW1_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dW1_0.clone()


def gpt_backward__db1_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.db1_1 * _count(cache)


def gpt_backward__db1_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.db1_0.clone()


def gpt_backward__dW2_1__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dW2_1 * _count(cache)


def gpt_backward__dW2_1__of_the_other_block(d):
    """This is the gradient of the first block. Look at the order in which you return them."""
    return d.dW2_0.clone()


# The final layer norm, and the loss behind it


def gpt_backward__dlnf_gain__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dlnf_gain * _count(cache)


def gpt_backward__dlnf_gain__ignored_counted(cache):
    """A target of -1 is ignored, and you took it for the last token: that is what an index of -1 means to torch."""
    return (_ignored_kept(cache) @ cache.wte * cache.lnf_raw).sum((0, 1))


def gpt_backward__dlnf_gain__not_summed(cache, d):
    """You kept one gradient for each position. All used the same gain, and what comes back from them adds up."""
    return d.dlnf * cache.lnf_raw


def gpt_backward__dlnf_gain__times_the_input(cache, d):
    """You multiplied by what goes into the layer norm. The gain is multiplied by values that are normalised already."""
    return (d.dlnf * cache.x_2).sum((0, 1))


def gpt_backward__dlnf_bias__averaged_over_all(cache, d):
    """You took the mean over all targets. Those that are ignored are not counted in the mean either."""
    return d.dlnf_bias * _count(cache)


def gpt_backward__dlnf_bias__ignored_counted(cache):
    """A target of -1 is ignored, and you took it for the last token: that is what an index of -1 means to torch."""
    return (_ignored_kept(cache) @ cache.wte).sum((0, 1))


def gpt_backward__dlnf_bias__not_summed(d):
    """You kept one gradient for each position. All used the same bias, and what comes back from them adds up."""
    return d.dlnf.clone()


def gpt_backward__dlnf_bias__times_gain(cache, d):
    """You multiplied by the gain. The bias is added after the gain has been applied."""
    return (d.dlnf * cache.lnf_gain).sum((0, 1))
