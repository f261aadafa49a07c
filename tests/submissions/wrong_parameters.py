# handed in as: linear.py
# linear_backward:
#   outcome: raised
#   message: "TypeError: linear_backward(dout, x, weights) does not take what the exercise gives, (dout, x, W): missing a required argument: 'weights'"
#   line: 7

def linear_backward(dout, x, weights):
    return None
