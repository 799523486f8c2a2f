    mov x8, x1
    casal x8, x2, [x0]
    cmp x8, x1
    mov x1, x8
    cset w9, eq
    eor w0, w9, #0x1
    ret
