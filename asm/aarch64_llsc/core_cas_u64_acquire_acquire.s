    mov x8, x1
L0:
    ldaxr x1, [x0]
    cmp x1, x8
    b.ne L1
    stxr w9, x2, [x0]
    cbnz w9, L0
    mov w8, #1
    eor w0, w8, #0x1
    ret
L1:
    eor w0, wzr, #0x1
    clrex
    ret
