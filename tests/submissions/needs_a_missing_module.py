# handed in as: linear.py
# linear_backward:
#   outcome: raised
#   message: "NameError: name 'future' is not defined; linear.py line 7, which makes future, failed: ModuleNotFoundError: No module named 'pandas_of_the_future'; there are torch, numpy, Python's own modules and what was handed in with it"
#   line: 11

import pandas_of_the_future as future


def linear_backward(dout, x, W):
    return future.read(dout), x.T @ dout, dout.sum(0)
