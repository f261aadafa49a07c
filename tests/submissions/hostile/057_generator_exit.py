def linear_backward(dout, x, W):
    raise GeneratorExit
