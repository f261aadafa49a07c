# handed in as: linear.py
# linear_backward: {outcome: raised, message: "ValueError: <script>alert(1)</script>\\u202e", line: 6}

def linear_backward(dout, x, W):
    print("\033[31m[bold]</pre><script>alert(2)</script>")
    raise ValueError("<script>alert(1)</script>\x1b]0;title\x07\u202e")
