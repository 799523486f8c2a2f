L0:
    ldaxrb w8, [x0]
    orr w9, w8, w1
    stlxrb w10, w9, [x0]
    cbnz w10, L0
    cmp w8, #0
    cset w0, ne
    ret
