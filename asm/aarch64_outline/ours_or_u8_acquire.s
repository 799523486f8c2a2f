    stp x29, x30, [sp, #-16]!
    mov x29, sp
    mov x8, x0
    mov w0, w1
    mov x1, x8
    bl __aarch64_ldset1_acq
    cmp w0, #0
    cset w0, ne
    ldp x29, x30, [sp], #16
    ret
