# handed in as: linear.py
# linear_backward:
#   outcome: raised
#   message: "NameError: name 'undefined' is not defined"
#   line: 11
#   verdicts: {dx: correct, dW: correct, db: not_returned}

def linear_backward(dout, x, W):
    dx = dout @ W.T
    dW = x.T @ dout
    db = dout.sum(0) / 0 + undefined
    return dx, dW, db
