# handed in as: linear.py
# linear_backward:
#   outcome: returned
#   verdicts: {dx: correct, dW: wrong_dtype, db: correct}
#   says: "torch.float32, expected torch.float64"

def linear_backward(dout, x, W):
    return dout @ W.T, (x.T @ dout).float(), dout.sum(0)
