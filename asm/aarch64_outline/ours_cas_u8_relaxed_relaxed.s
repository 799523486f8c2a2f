    stp x29, x30, [sp, #-32]!
    str x19, [sp, #16]
    mov x29, sp
    mov x8, x0
    mov w19, w1
    mov w0, w1
    mov w1, w2
    mov x2, x8
    bl __aarch64_cas1_relax
    cmp w0, w19
    cset w8, eq
    cmp w0, #0
    cset w1, ne
    eor w0, w8, #0x1
    ldr x19, [sp, #16]
    ldp x29, x30, [sp], #32
    ret
