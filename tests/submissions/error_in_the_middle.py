# handed in as: linear.py
# linear_backward:
#   outcome: raised
#   message: "linear.py stopped at line 7, before linear_backward was defined: NameError: name 'undefined' is not defined"
#   line: 7

print(undefined)


def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)
