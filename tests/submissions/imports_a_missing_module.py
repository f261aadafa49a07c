# handed in as: linear.py
# linear_backward:
#   outcome: raised
#   message: "linear.py stopped at line 7, before linear_backward was defined: ModuleNotFoundError: No module named 'pandas_of_the_future'; there are torch, numpy, Python's own modules and what was handed in with it"
#   line: 7

import pandas_of_the_future


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)
