    stp x29, x30, [sp, #-32]!
    str x19, [sp, #16]
    mov x29, sp
    mov x8, x0
    mov x19, x1
    mov x0, x1
    mov x1, x2
    mov x2, x8
    bl __aarch64_cas8_acq_rel
    cmp x0, x19
    mov x1, x0
    cset w8, eq
    eor w0, w8, #0x1
    ldr x19, [sp, #16]
    ldp x29, x30, [sp], #32
    ret
