# handed in as: linear.py
# linear_backward:
#   outcome: bad_return
#   message: "dW is a sparse tensor; return an ordinary dense one"
#   verdicts: {dx: correct, dW: not_returned, db: correct}

def linear_backward(dout, x, W):
    return dout @ W.T, (x.T @ dout).to_sparse(), dout.sum(0)
