# handed in as: linear.py
# linear_backward: {outcome: missing, message: linear_backward is defined in no file of the submission, score: 0}

def linear_forward(x, W, b):
    return x @ W + b
