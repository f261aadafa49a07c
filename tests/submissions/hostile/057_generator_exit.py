# handed in as: linear.py
# linear_backward: {outcome: raised, message: GeneratorExit, score: 0}

def linear_backward(dout, x, W):
    raise GeneratorExit
