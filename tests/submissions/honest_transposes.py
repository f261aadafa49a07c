# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5}

def linear_backward(dout, x, W):
    return (W @ dout.T).T, (dout.T @ x).T, dout.T.sum(1)
