# handed in as: linear.py
# linear_backward: {outcome: out_of_memory, message: MemoryError, score: 0}

def linear_backward(dout, x, W):
    numbers = [0.0] * 10**9
    return numbers
