# handed in as: linear.py
# linear_backward: {outcome: bad_return, message: 'returned 4 values, expected 3', score: 0}

def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout, dout.sum(0), None
