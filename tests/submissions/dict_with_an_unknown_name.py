# handed in as: linear.py
# linear_backward: {outcome: bad_return, message: "returned a dict with the key 'dw'; the keys are dx, dW, db"}

def linear_backward(dout, x, W):
    return {"dx": dout @ W.T, "dw": x.T @ dout}
