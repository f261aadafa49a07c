def linear_backward(dout, x, W):
    print("\033[31m[bold]</pre><script>alert(2)</script>")
    raise ValueError("<script>alert(1)</script>\x1b]0;title\x07\u202e")
