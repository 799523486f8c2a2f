    swpalb w1, w8, [x0]
    cmp w8, #0
    cset w0, ne
    ret
