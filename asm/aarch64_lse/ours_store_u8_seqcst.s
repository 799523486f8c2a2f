    stlrb w1, [x0]
    ret
