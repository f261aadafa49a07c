# handed in as: linear.py
# linear_backward: {outcome: bad_return, message: "returned one tensor, expected 3 gradients: dx, dW, db"}

def linear_backward(dout, x, W):
    return dout
