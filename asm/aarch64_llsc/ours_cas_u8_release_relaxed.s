    mov w9, w2
L0:
    ldxrb w8, [x0]
    cmp w8, w1
    b.ne L1
    stlxrb w10, w9, [x0]
    cbnz w10, L0
    mov w9, #1
    cmp w8, #0
    eor w0, w9, #0x1
    cset w1, ne
    ret
L1:
    clrex
    cmp w8, #0
    eor w0, wzr, #0x1
    cset w1, ne
    ret
