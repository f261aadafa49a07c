# handed in as: linear.py
# linear_backward:
#   outcome: raised
#   message: "linear.py stopped at line 7, before linear_backward was defined: NameError: name 'checked' is not defined; functions above it were graded, and those below"
#   line: 7

@checked
def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0)
