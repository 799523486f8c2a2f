    ldaxr x8, [x0]
    cmp x8, x1
    b.ne L0
    stlxr w9, x2, [x0]
    cmp w9, #0
    cset w9, eq
    eor w0, w9, #0x1
    mov x1, x8
    ret
L0:
    clrex
    eor w0, wzr, #0x1
    mov x1, x8
    ret
