# handed in as: linear.py
# linear_backward: {outcome: bad_return, message: "returned 2 values, expected 3: dx, dW, db"}

def linear_backward(dout, x, W):
    return dout @ W.T, x.T @ dout
