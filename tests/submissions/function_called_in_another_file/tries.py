assert linear_backward(1, 2, 3)
