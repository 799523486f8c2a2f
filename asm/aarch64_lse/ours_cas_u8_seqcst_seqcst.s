    mov w8, w1
    casalb w8, w2, [x0]
    cmp w8, w1
    cset w9, eq
    cmp w8, #0
    cset w1, ne
    eor w0, w9, #0x1
    ret
