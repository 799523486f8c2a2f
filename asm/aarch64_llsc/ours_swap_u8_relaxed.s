    mov w8, w1
L0:
    ldxrb w9, [x0]
    stxrb w10, w8, [x0]
    cbnz w10, L0
    cmp w9, #0
    cset w0, ne
    ret
