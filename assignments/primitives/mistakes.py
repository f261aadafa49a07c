"""Wrong gradients that people write for the primitives. Each docstring is what the student is told."""

import torch

# add_backward: out = a + b


def add_backward__da__halved(dout):
    """You shared the upstream gradient out between a and b. A sum moves as far as each of its terms does."""
    return dout / 2


def add_backward__da__upstream_forgotten(dout):
    """You returned the slope of the sum alone. It still has to meet the upstream gradient."""
    return torch.ones_like(dout)


def add_backward__da__summed(dout):
    """You summed over the rows, as for a bias. Here a has as many rows as out, and no row is shared."""
    return dout.sum(dim=0)


def add_backward__db__halved(dout):
    """You shared the upstream gradient out between a and b. A sum moves as far as each of its terms does."""
    return dout / 2


def add_backward__db__sign(dout):
    """You flipped the sign, as for a - b. In a + b the output rises when b rises."""
    return -dout


def add_backward__db__summed(dout):
    """You summed over the rows, as for a bias. Here b has as many rows as out, and no row is shared."""
    return dout.sum(dim=0)


# broadcast_add_backward: out = a + b, a (N, D), b (D,)


def broadcast_add_backward__da__upstream_forgotten(a):
    """You returned the slope of the sum alone. It still has to meet the upstream gradient."""
    return torch.ones_like(a)


def broadcast_add_backward__da__summed(dout):
    """You summed over the rows. That is for a value that all rows share, and each row of a is used once."""
    return dout.sum(dim=0)


def broadcast_add_backward__da__averaged(dout):
    """You divided by the number of rows. The forward takes no mean, so there is nothing to divide by."""
    return dout / dout.shape[0]


def broadcast_add_backward__db__not_summed(dout):
    """You returned the upstream gradient. b was added to every row, so its gradient collects over the rows."""
    return dout


def broadcast_add_backward__db__averaged(dout):
    """You took the mean over the rows. b is added in full to every row, so what the rows send back adds up."""
    return dout.mean(dim=0)


def broadcast_add_backward__db__keepdim(dout):
    """Your numbers are right and the shape is not. b has one axis, and yours has two because of keepdim."""
    return dout.sum(dim=0, keepdim=True)


def broadcast_add_backward__db__wrong_axis(dout):
    """You summed along each row. b has one entry for each column, so the sum runs down the columns."""
    return dout.sum(dim=1)


def broadcast_add_backward__db__first_row(dout):
    """You took the first row only. b was added to every row, and each of them sends a gradient back."""
    return dout[0]


def broadcast_add_backward__db__upstream_forgotten(dout):
    """You counted the rows. Each row sends back its own upstream gradient, not a one."""
    return torch.ones_like(dout).sum(dim=0)


# multiply_backward: out = a * b


def multiply_backward__da__not_swapped(dout, a):
    """You multiplied by a itself. The slope of a product towards one factor is the other factor."""
    return dout * a


def multiply_backward__da__upstream_forgotten(b):
    """You returned the slope alone. It still has to meet the upstream gradient."""
    return b.clone()


def multiply_backward__da__like_a_sum(dout):
    """You passed the upstream gradient on as in a sum. In a product the other factor scales it."""
    return dout.clone()


def multiply_backward__da__times_output(dout, a, b):
    """You multiplied by the whole product. When a moves, only the other factor scales the move."""
    return dout * (a * b)


def multiply_backward__da__added(dout, b):
    """You added the slope to the upstream gradient. The chain rule multiplies them."""
    return dout + b


def multiply_backward__db__not_swapped(dout, b):
    """You multiplied by b itself. The slope of a product towards one factor is the other factor."""
    return dout * b


def multiply_backward__db__upstream_forgotten(a):
    """You returned the slope alone. It still has to meet the upstream gradient."""
    return a.clone()


def multiply_backward__db__like_a_sum(dout):
    """You passed the upstream gradient on as in a sum. In a product the other factor scales it."""
    return dout.clone()


def multiply_backward__db__quotient(dout, a, b):
    """You used the rule of the quotient a / b. In a product b scales up, and nothing is divided."""
    return -dout * a / b**2


# matmul_backward: out = a @ b, a (N, K), b (K, M)


def matmul_backward__da__not_transposed(dout, b):
    """You multiplied by b as it stands. dout has M columns, and they must meet the M axis of b."""
    return dout @ b


def matmul_backward__da__reshaped(dout, b):
    """You gave b the turned-over shape by reshaping. That keeps the order of the numbers, a transpose changes it."""
    return dout @ b.reshape(b.shape[1], b.shape[0])


def matmul_backward__da__transposed(dout, b):
    """Your result is turned over. a has N rows and K columns, and so has its gradient."""
    return b @ dout.T


def matmul_backward__da__upstream_forgotten(dout, b):
    """You put ones where the upstream gradient belongs. Each entry of out has an upstream gradient of its own."""
    return torch.ones_like(dout) @ b.T


def matmul_backward__db__not_transposed(dout, a):
    """You multiplied by a as it stands. dout has N rows, and they must meet the N axis of a."""
    return a @ dout


def matmul_backward__db__reshaped(dout, a):
    """You gave a the turned-over shape by reshaping. That keeps the order of the numbers, a transpose changes it."""
    return a.reshape(a.shape[1], a.shape[0]) @ dout


def matmul_backward__db__transposed(dout, a):
    """Your result is turned over. b has K rows and M columns, and so has its gradient."""
    return dout.T @ a


def matmul_backward__db__averaged(dout, a):
    """You divided by the number of rows. The forward takes no mean, so what the rows send back adds up in full."""
    return a.T @ dout / a.shape[0]


def matmul_backward__db__first_row(dout, a):
    """You used the first row only. Every row of a is multiplied by b, and each sends a gradient back."""
    return torch.outer(a[0], dout[0])


# reuse_backward: out = a * b + a


def reuse_backward__da__sum_dropped(dout, b):
    """You followed a through the product only. a is added at the end as well, and two uses add."""
    return dout * b


def reuse_backward__da__product_dropped(dout):
    """You followed a through the sum only, or overwrote the first gradient with the second. Two uses add."""
    return dout.clone()


def reuse_backward__da__uses_multiplied(dout, b):
    """You multiplied the gradients of the two uses. Each use moves out by itself, so they add."""
    return dout * b * dout


def reuse_backward__da__upstream_forgotten_once(dout, b):
    """You added a plain one for the second use. The upstream gradient reaches that use too."""
    return dout * b + 1


def reuse_backward__da__not_swapped(dout, a):
    """You took a as the slope of the product towards a. It is the other factor."""
    return dout * a + dout


def reuse_backward__db__not_swapped(dout, b):
    """You multiplied by b itself. The slope of a product towards one factor is the other factor."""
    return dout * b


def reuse_backward__db__sum_added(dout, a):
    """You added the gradient of the sum to b as well. The last term of the forward is a, and b isn't in it."""
    return dout * a + dout


def reuse_backward__db__upstream_forgotten(a):
    """You returned the slope alone. It still has to meet the upstream gradient."""
    return a.clone()


def reuse_backward__db__like_a_sum(dout):
    """You passed the upstream gradient on as in a sum. b is a factor of a product, and a scales it."""
    return dout.clone()


# sum_backward: out = the sum of x over dim 1, (N, 1)


def sum_backward__dx__not_broadcast(dout):
    """You returned the upstream gradient with its one column. A gradient has the shape of its value, x."""
    return dout.clone()


def sum_backward__dx__upstream_forgotten(x):
    """You returned the slope of the sum alone. It still has to meet the upstream gradient of its row."""
    return torch.ones_like(x)


def sum_backward__dx__times_x(dout, x):
    """You multiplied by x. A sum has slope one towards each entry, whatever the entry's value is."""
    return dout * x


def sum_backward__dx__averaged(dout, x):
    """You divided by the number of columns, as for a mean. The forward is a plain sum."""
    return (dout / x.shape[1]).expand_as(x)


def sum_backward__dx__summed_again(dout, x):
    """You summed the upstream gradient over the rows. Each row of x feeds only the sum of its own row."""
    return dout.sum().expand_as(x)


def sum_backward__dx__first_column(dout, x):
    """You gave the upstream gradient to the first column only. Every entry of a row is in its sum."""
    dx = torch.zeros_like(x)
    dx[:, 0] = dout[:, 0]
    return dx


# mean_backward: out = the mean of x over dim 0, (1, D)


def mean_backward__dx__not_divided(dout, x):
    """You sent the upstream gradient back in full. The forward divides the sum by how many entries it has."""
    return dout.expand_as(x)


def mean_backward__dx__divided_by_columns(dout, x):
    """You divided by the number of columns. The mean runs over the rows, so another count belongs there."""
    return (dout / x.shape[1]).expand_as(x)


def mean_backward__dx__divided_by_all(dout, x):
    """You divided by the number of all entries of x. Each column has a mean of its own."""
    return (dout / x.numel()).expand_as(x)


def mean_backward__dx__not_broadcast(dout, x):
    """You returned one row. A gradient has the shape of its value, and x has N rows."""
    return dout / x.shape[0]


def mean_backward__dx__one_less(dout, x):
    """You divided by one less than the number of rows, as some variances do. A mean divides by all of them."""
    return (dout / (x.shape[0] - 1)).expand_as(x)


def mean_backward__dx__upstream_forgotten(x):
    """You returned the slope of the mean alone. It still has to meet the upstream gradient of its column."""
    return torch.ones_like(x) / x.shape[0]


def mean_backward__dx__times_x(dout, x):
    """You multiplied by x. A mean has the same slope towards each entry, whatever the entry's value is."""
    return dout * x / x.shape[0]


# max_backward: out = the largest entry of each row of x, (N, 1)


def max_backward__dx__to_every_entry(dout, x):
    """You sent the gradient to every entry of the row, as for a sum. Only the largest one decides the maximum."""
    return dout.expand_as(x)


def max_backward__dx__upstream_forgotten(x):
    """You marked the largest entries with ones. They still have to meet the upstream gradient of their row."""
    return torch.zeros_like(x).scatter(1, x.argmax(dim=1, keepdim=True), 1.0)


def max_backward__dx__wrong_axis(dout, x):
    """You looked for the largest entry of each column. The forward takes the maximum of each row."""
    return torch.where(x == x.amax(dim=0), dout, 0.0)


def max_backward__dx__whole_columns(dout, x):
    """You indexed with a colon, so each winning column was filled in every row. A row has a winner of its own."""
    dx = torch.zeros_like(x)
    dx[:, x.argmax(dim=1)] = dout
    return dx


def max_backward__dx__times_x(dout, x):
    """You multiplied by the maximum. Its slope towards the winning entry is one, whatever the entry's value is."""
    return torch.where(x == x.amax(dim=1, keepdim=True), dout * x, 0.0)


def max_backward__dx__smallest(dout, x):
    """You sent the gradient to the smallest entry of each row. The forward takes the largest one."""
    return torch.zeros_like(x).scatter(1, x.argmin(dim=1, keepdim=True), dout)


def max_backward__dx__not_routed(dout):
    """You returned the upstream gradient with its one column. A gradient has the shape of its value, x."""
    return dout.clone()


def max_backward__dx__positive_entries(dout, x):
    """You sent the gradient to every positive entry, as for a ReLU. The maximum compares entries with one another."""
    return dout * (x > 0)


# power_backward: out = x ** exponent


def power_backward__dx__upstream_forgotten(x, exponent):
    """You returned the slope alone. It still has to meet the upstream gradient."""
    return x ** (exponent - 1) * exponent


def power_backward__dx__exponent_not_lowered(dout, x, exponent):
    """You kept the exponent as it was. When a power is differentiated, its exponent goes down."""
    return dout * exponent * x**exponent


def power_backward__dx__factor_forgotten(dout, x, exponent):
    """You lowered the exponent and left out the factor. The old exponent comes down in front."""
    return dout * x ** (exponent - 1)


def power_backward__dx__parentheses_lost(dout, x, exponent):
    """You subtracted one from the whole product. In Python ** binds before -, so the new exponent needs parentheses."""
    return dout * exponent * x**exponent - 1


def power_backward__dx__integrated(dout, x, exponent):
    """You raised the exponent and divided by it. That is the rule for an integral, not for a slope."""
    return dout * x ** (exponent + 1) / (exponent + 1)


def power_backward__dx__square_assumed(dout, x):
    """You wrote the rule for the square. The exponent is an argument, and not always 2."""
    return dout * 2 * x


def power_backward__dx__towards_the_exponent(dout, x, exponent):
    """You differentiated towards the exponent, which brings in a logarithm. The gradient asked for is that of x."""
    return dout * x**exponent * x.log()


# exp_backward: out = exp(x)


def exp_backward__dx__exp_twice(dout, out):
    """You took the exponential of out. out is exp(x) already."""
    return out.exp() * dout


def exp_backward__dx__slope_forgotten(dout):
    """You passed the upstream gradient on unchanged. The exponential has a slope that depends on the entry."""
    return dout.clone()


def exp_backward__dx__upstream_forgotten(out):
    """You returned the slope alone. It still has to meet the upstream gradient."""
    return out.clone()


def exp_backward__dx__divided(dout, out):
    """You divided by the slope. The chain rule multiplies: a steep step makes the gradient larger."""
    return dout / out


def exp_backward__dx__logarithm(dout, out):
    """You went back to x with a logarithm and used x as the slope. The slope of exp at x isn't x."""
    return out.log() * dout


def exp_backward__dx__power_rule(dout, out):
    """You used the power rule. In exp(x) the variable is the exponent, not the base."""
    return out.log() * out * dout


def exp_backward__dx__added(dout, out):
    """You added the slope to the upstream gradient. The chain rule multiplies them."""
    return dout + out


# log_backward: out = log(x)


def log_backward__dx__multiplied(dout, x):
    """You multiplied by x. The logarithm gets flatter as x grows, so a large x makes the gradient smaller."""
    return dout * x


def log_backward__dx__upstream_forgotten(x):
    """You returned the slope alone. It still has to meet the upstream gradient."""
    return 1 / x


def log_backward__dx__of_one_over_x(dout, x):
    """You differentiated once more: this is the rule for 1 / x. The forward is the logarithm."""
    return -dout / x**2


def log_backward__dx__divided_by_the_log(dout, x):
    """You divided by the logarithm. The slope of log at x is said with x itself."""
    return dout / x.log()


def log_backward__dx__of_exp(dout, x):
    """You used the rule of the exponential. The logarithm is its inverse, and has another slope."""
    return dout * x.exp()


def log_backward__dx__upside_down(dout, x):
    """You divided x by the upstream gradient. The upstream gradient is always a factor, never a divisor."""
    return x / dout


def log_backward__dx__base_ten(dout, x):
    """You used the slope of the logarithm to base ten. torch.log is the natural one."""
    return dout / (x * 2.302585092994046)


# tanh_backward: out = tanh(x)


def tanh_backward__dx__upstream_forgotten(out):
    """You returned the slope alone. It still has to meet the upstream gradient."""
    return 1 - out**2


def tanh_backward__dx__square_forgotten(dout, out):
    """You left out the square. The slope of tanh is the same at x and at -x, and yours is not."""
    return dout * (1 - out)


def tanh_backward__dx__tanh_twice(dout, out):
    """You applied tanh to out. out is tanh(x) already."""
    return dout * (1 - out.tanh() ** 2)


def tanh_backward__dx__sigmoid(dout, out):
    """You used the rule of the sigmoid. tanh runs from -1 to 1 and has a slope of its own."""
    return out * (1 - out) * dout


def tanh_backward__dx__sign(dout, out):
    """You added where the rule subtracts. tanh is flat where out is close to 1 or -1, and yours is steepest there."""
    return dout * (1 + out**2)


def tanh_backward__dx__parentheses_lost(dout, out):
    """You lost the parentheses: the upstream gradient was multiplied by the one only, not by the whole slope."""
    return dout - out**2


def tanh_backward__dx__exchanged(dout, out):
    """You exchanged dout and out. The slope is made of out, and the upstream gradient is a plain factor."""
    return (1 - dout**2) * out


def tanh_backward__dx__relu(dout, out):
    """You used the rule of the ReLU. tanh has no kink, and lets negative entries through."""
    return dout * (out > 0)


def tanh_backward__dx__whole_bracket_squared(dout, out):
    """You squared the whole bracket. Only out is squared in the slope of tanh."""
    return dout * (1 - out) ** 2
