"""Right answers to the lesson's notebook, written in other ways. Each function's body is handed in as a script."""

import torch
import torch.nn.functional as F  # noqa: N812 # the lesson's name for it


def exercise_1__as_in_the_lecture():
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / n
    dprobs = (1.0 / probs) * dlogprobs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = (-(counts_sum**-2)) * dcounts_sum_inv
    dcounts += torch.ones_like(counts) * dcounts_sum
    dnorm_logits = counts * dcounts
    dlogits = dnorm_logits.clone()
    dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
    dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
    dh = dlogits @ W2.T
    dW2 = h.T @ dlogits
    db2 = dlogits.sum(0)
    dhpreact = (1.0 - h**2) * dh
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
    dbnraw = bngain * dhpreact
    dbnbias = dhpreact.sum(0, keepdim=True)
    dbndiff = bnvar_inv * dbnraw
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
    dbnvar = (-0.5 * (bnvar + 1e-5) ** -1.5) * dbnvar_inv
    dbndiff2 = (1.0 / (n - 1)) * torch.ones_like(bndiff2) * dbnvar
    dbndiff += (2 * bndiff) * dbndiff2
    dhprebn = dbndiff.clone()
    dbnmeani = (-dbndiff).sum(0, keepdim=True)
    dhprebn += 1.0 / n * (torch.ones_like(hprebn) * dbnmeani)
    dembcat = dhprebn @ W1.T
    dW1 = embcat.T @ dhprebn
    db1 = dhprebn.sum(0)
    demb = dembcat.view(emb.shape)
    dC = torch.zeros_like(C)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            ix = Xb[k, j]
            dC[ix] += demb[k, j]


def exercise_1__with_one_hot_and_einsum():
    dlogprobs = -F.one_hot(Yb, num_classes=vocab_size) / torch.tensor(float(n))
    dprobs = probs**-1 * dlogprobs
    dcounts_sum_inv = torch.einsum("ij,ij->i", dprobs, counts).unsqueeze(1)
    dcounts_sum = dcounts_sum_inv * -(counts_sum ** (-2))
    dcounts = dcounts_sum.expand(*counts.shape) + counts_sum_inv.expand(*probs.shape) * dprobs
    dnorm_logits = norm_logits.exp() * dcounts
    dlogit_maxes = dnorm_logits.sum(1, keepdim=True).neg()
    is_max = torch.zeros_like(logits)
    is_max[torch.arange(n), logits.argmax(1)] = 1.0
    dlogits = dnorm_logits + is_max * dlogit_maxes
    dh = torch.einsum("ik,jk->ij", dlogits, W2)
    dW2 = torch.matmul(h.transpose(0, 1), dlogits)
    db2 = torch.ones(n) @ dlogits
    dhpreact = dh - dh * torch.tanh(hpreact).square()
    dbngain, dbnbias = (dhpreact * bnraw).sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)
    dbnraw = dhpreact * bngain
    dbnvar_inv = torch.sum(dbnraw * bndiff, dim=0, keepdim=True)
    dbnvar = dbnvar_inv * (-1 / 2) * (bnvar + 1e-5) ** (-3 / 2)
    dbndiff2 = (dbnvar / (n - 1)).repeat(n, 1)
    dbndiff = dbndiff2 * 2.0 * bndiff
    dbndiff = dbndiff + dbnraw * bnvar_inv
    dbnmeani = dbndiff.sum(0, keepdim=True) * -1
    dhprebn = dbndiff + dbnmeani.expand(n, n_hidden) * (1 / n)
    dembcat = dhprebn.mm(W1.t())
    dW1 = embcat.t().mm(dhprebn)
    db1 = dhprebn.sum(dim=0)
    demb = dembcat.reshape(-1, block_size, n_embd)
    dC = torch.einsum("nkv,nke->ve", F.one_hot(Xb, vocab_size).double(), demb)


def exercise_1__in_place_by_index_put():
    dlogprobs = torch.zeros(logprobs.shape)
    dlogprobs[torch.arange(n), Yb] -= 1 / n
    dprobs = torch.div(dlogprobs, probs)
    dcounts_sum_inv = (dprobs * counts).sum(axis=1, keepdims=True)
    dcounts_sum = -dcounts_sum_inv / counts_sum.pow(2)
    dcounts = torch.zeros_like(counts).add_(dprobs * counts_sum_inv).add_(dcounts_sum)
    dnorm_logits = torch.empty_like(counts)
    torch.mul(dcounts, counts, out=dnorm_logits)
    dlogit_maxes = (-1 * dnorm_logits).sum(1, keepdim=True)
    dlogits = 1.0 * dnorm_logits
    dlogits[range(n), logits.max(1).indices] += dlogit_maxes.squeeze()
    dh, dW2, db2 = dlogits @ W2.T, h.T @ dlogits, dlogits.sum(0)
    dhpreact = dh * (1 - h * h)
    dbngain = (bnraw * dhpreact).sum(0, keepdim=True)
    dbnbias = dhpreact.sum(0, keepdim=True)
    dbnraw = bngain * dhpreact
    dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)
    dbnvar = -0.5 * dbnvar_inv * bnvar_inv**3
    dbndiff2 = torch.full_like(bndiff2, 1 / (n - 1)) * dbnvar
    dbndiff = bnvar_inv * dbnraw
    dbndiff.add_(2 * bndiff * dbndiff2)
    dbnmeani = -dbndiff.sum(0, keepdim=True)
    dhprebn = dbndiff - dbndiff.mean(0, keepdim=True)
    dembcat = dhprebn @ W1.T
    dW1 = embcat.T @ dhprebn
    db1 = torch.zeros_like(b1)
    for row in dhprebn:
        db1 += row
    demb = torch.stack(dembcat.split(n_embd, dim=1), dim=1)
    dC = torch.zeros_like(C)
    dC.index_put_((Xb,), demb, accumulate=True)


def exercise_2__as_in_the_lecture():
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n


def exercise_2__in_one_line():
    dlogits = (probs - F.one_hot(Yb, num_classes=probs.shape[1])) / n


def exercise_2__by_a_helper():
    right = torch.zeros_like(logits)
    right[torch.arange(n), Yb] = 1
    softmax = logits.exp() / logits.exp().sum(1, keepdim=True)
    dlogits = torch.div(softmax - right, n)


def exercise_3__as_in_the_lecture():
    dhprebn = (
        bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))
    )


def exercise_3__from_the_two_sums():
    dbngain, dbnbias = (bnraw * dhpreact).sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)
    dhprebn = bngain * bnvar_inv * (dhpreact - dbnbias / n - bnraw * dbngain / (n - 1))


def exercise_3__with_means():
    scaled = bngain * dhpreact
    centred = scaled - scaled.mean(0, keepdim=True)
    dhprebn = bnvar_inv * (centred - bnraw * (scaled * bnraw).sum(0, keepdim=True) / (n - 1))
