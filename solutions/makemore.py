# %% [markdown]
# # The lesson's network, backward by hand
#
# The forward pass below is the one of the lesson *Becoming a backprop ninja*: an embedding, a linear layer, batch norm,
# tanh, a second linear layer, softmax and cross-entropy, one named value per line. You write the gradient of every one
# of them. Each gradient is called `d` and then the name of its value, and has its shape.
#
# Run the cells from the top. `cmp` beside each gradient says how it compares with autograd. Then run the last cell: the
# grader tries your statements on other data, and says what is wrong with a gradient that is not right. In a terminal,
# `grade makemore.ipynb` does the same with the notebook as you have saved it. It never runs the rest of the notebook.

# %%
import torch
import torch.nn.functional as F  # noqa: F401, RUF100 # yours to use

# %%
# A batch of contexts and the characters that follow them.
words = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "evelyn"]
itos = [".", *"abcdefghijklmnopqrstuvwxyz"]
vocab_size, block_size = len(itos), 3
contexts, following = [], []
for word in words:
    context = [0] * block_size
    for character in word + ".":
        contexts.append(context)
        following.append(itos.index(character))
        context = [*context[1:], following[-1]]
n = 32  # rows in the batch
Xb, Yb = torch.tensor(contexts[:n]), torch.tensor(following[:n])

# %%
# Parameters, none of them zero: a gradient that is zero hides mistakes.
n_embd, n_hidden = 10, 64
g = torch.Generator().manual_seed(2147483647)
C = torch.randn((vocab_size, n_embd), generator=g)
W1 = torch.randn((n_embd * block_size, n_hidden), generator=g)
W1 *= (5 / 3) / (n_embd * block_size) ** 0.5
b1 = torch.randn(n_hidden, generator=g) * 0.1
W2 = torch.randn((n_hidden, vocab_size), generator=g) * 0.1
b2 = torch.randn(vocab_size, generator=g) * 0.1
bngain = torch.randn((1, n_hidden), generator=g) * 0.1 + 1.0
bnbias = torch.randn((1, n_hidden), generator=g) * 0.1
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
for parameter in parameters:
    parameter.requires_grad = True

# %%
# The forward pass, one named value per line, and autograd's way back to compare with.
emb = C[Xb]  # (32, 3, 10)
embcat = emb.view(n, -1)  # (32, 30)
hprebn = embcat @ W1 + b1  # (32, 64)
bnmeani = 1 / n * hprebn.sum(0, keepdim=True)  # (1, 64)
bndiff = hprebn - bnmeani  # (32, 64)
bndiff2 = bndiff**2  # (32, 64)
bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdim=True)  # (1, 64), divided by n - 1
bnvar_inv = (bnvar + 1e-5) ** -0.5  # (1, 64)
bnraw = bndiff * bnvar_inv  # (32, 64)
hpreact = bngain * bnraw + bnbias  # (32, 64)
h = torch.tanh(hpreact)  # (32, 64)
logits = h @ W2 + b2  # (32, 27)
logit_maxes = logits.max(1, keepdim=True).values  # (32, 1)
norm_logits = logits - logit_maxes  # (32, 27)
counts = norm_logits.exp()  # (32, 27)
counts_sum = counts.sum(1, keepdim=True)  # (32, 1)
counts_sum_inv = counts_sum**-1  # (32, 1)
probs = counts * counts_sum_inv  # (32, 27)
logprobs = probs.log()  # (32, 27)
loss = -logprobs[range(n), Yb].mean()
for value in [
    emb,
    embcat,
    hprebn,
    bnmeani,
    bndiff,
    bndiff2,
    bnvar,
    bnvar_inv,
    bnraw,
    hpreact,
    h,
    logits,
    logit_maxes,
]:
    value.retain_grad()
for value in [norm_logits, counts, counts_sum, counts_sum_inv, probs, logprobs]:
    value.retain_grad()
loss.backward()


def cmp(name, gradient, value):
    """Print how a gradient of yours compares with autograd's."""
    if gradient is None:
        print(f"{name:15s} | not written yet")
        return
    exact = bool((gradient == value.grad).all())
    approximate = torch.allclose(gradient, value.grad)
    error = (gradient - value.grad).abs().max().item()
    found = f"exact: {exact!s:5s} | approximate: {approximate!s:5s} | maxdiff: {error}"
    print(f"{name:15s} | {found}")


# %% [markdown]
# ## Exercise 1: every value, one by one
#
# Go back through the forward pass line by line, from the loss to `C`. Split the cell as you like; what counts is what
# each gradient is in the end.

# %%
# BEGIN SOLUTION
# The loss reads one entry of each row.
dlogprobs = torch.zeros_like(logprobs)  # (32, 27)
dlogprobs[range(n), Yb] = -1.0 / n
dprobs = dlogprobs / probs  # (32, 27)
# One number per row was used for 27 columns, so its gradient sums over them.
dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)  # (32, 1)
dcounts_sum = -dcounts_sum_inv * counts_sum**-2  # (32, 1)
# counts is read by probs and by counts_sum.
dcounts = counts_sum_inv * dprobs + dcounts_sum  # (32, 27)
dnorm_logits = counts * dcounts  # (32, 27)
dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)  # (32, 1)
dlogits = dnorm_logits + F.one_hot(logits.argmax(1), num_classes=vocab_size) * dlogit_maxes  # (32, 27)
dh = dlogits @ W2.T  # (32, 64)
dW2 = h.T @ dlogits  # (64, 27)
db2 = dlogits.sum(0)  # (27,)
dhpreact = (1.0 - h**2) * dh  # (32, 64)
dbngain = (bnraw * dhpreact).sum(0, keepdim=True)  # (1, 64)
dbnbias = dhpreact.sum(0, keepdim=True)  # (1, 64)
dbnraw = bngain * dhpreact  # (32, 64)
dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)  # (1, 64)
dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv  # (1, 64)
dbndiff2 = torch.ones_like(bndiff2) * dbnvar / (n - 1)  # (32, 64)
# bndiff is read by bnraw and by bndiff2.
dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2  # (32, 64)
dbnmeani = -dbndiff.sum(0, keepdim=True)  # (1, 64)
dhprebn = dbndiff + dbnmeani / n  # (32, 64)
dembcat = dhprebn @ W1.T  # (32, 30)
dW1 = embcat.T @ dhprebn  # (30, 64)
db1 = dhprebn.sum(0)  # (64,)
demb = dembcat.view(emb.shape)  # (32, 3, 10)
# A row of C may have been taken many times: what each use sends back is added.
dC = torch.zeros_like(C)  # (27, 10)
dC.index_add_(0, Xb.view(-1), demb.view(-1, n_embd))
# END SOLUTION

cmp("logprobs", dlogprobs, logprobs)
cmp("probs", dprobs, probs)
cmp("counts_sum_inv", dcounts_sum_inv, counts_sum_inv)
cmp("counts_sum", dcounts_sum, counts_sum)
cmp("counts", dcounts, counts)
cmp("norm_logits", dnorm_logits, norm_logits)
cmp("logit_maxes", dlogit_maxes, logit_maxes)
cmp("logits", dlogits, logits)
cmp("h", dh, h)
cmp("W2", dW2, W2)
cmp("b2", db2, b2)
cmp("hpreact", dhpreact, hpreact)
cmp("bngain", dbngain, bngain)
cmp("bnbias", dbnbias, bnbias)
cmp("bnraw", dbnraw, bnraw)
cmp("bnvar_inv", dbnvar_inv, bnvar_inv)
cmp("bnvar", dbnvar, bnvar)
cmp("bndiff2", dbndiff2, bndiff2)
cmp("bndiff", dbndiff, bndiff)
cmp("bnmeani", dbnmeani, bnmeani)
cmp("hprebn", dhprebn, hprebn)
cmp("embcat", dembcat, embcat)
cmp("W1", dW1, W1)
cmp("b1", db1, b1)
cmp("emb", demb, emb)
cmp("C", dC, C)

# %% [markdown]
# ## Exercise 2: softmax and cross-entropy at one go
#
# The eight steps from the loss to `logits` come to one short formula. Work it out on paper, and write `dlogits` from
# `logits` and `Yb` alone, without a gradient of exercise 1.

# %%
# BEGIN SOLUTION
dlogits = F.softmax(logits, 1)  # (32, 27)
dlogits[range(n), Yb] -= 1
dlogits /= n
# END SOLUTION

cmp("logits", dlogits, logits)

# %% [markdown]
# ## Exercise 3: batch norm at one go
#
# The same for batch norm: `dhprebn` from `dhpreact` and the values of the forward pass, without the gradients between
# them. Mind that the variance divides by n - 1.

# %%
# BEGIN SOLUTION
straight = n * dhpreact - dhpreact.sum(0)
dhprebn = bngain * bnvar_inv / n * (straight - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))  # (32, 64)
# END SOLUTION

cmp("hprebn", dhprebn, hprebn)

# %% [markdown]
# ## Grade it

# %%
import grader

grader.check("makemore")
