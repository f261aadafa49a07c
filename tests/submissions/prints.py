# handed in as: linear.py
# linear_backward: {outcome: returned, score: 5, printed: "dout is (5, 4)"}

def linear_backward(dout, x, W):
    print('dout is', tuple(dout.shape))
    return dout @ W.T, x.T @ dout, dout.sum(0)
