    adrp x8, :got:atomshard::arch::detect::FOUND
    ldr x8, [x8, :got_lo12:atomshard::arch::detect::FOUND]
    ldr x8, [x8]
    tbnz w8, #0, L1
    cbz x8, L2
L0:
    ldxp x8, x1, [x0]
    cmp x8, x2
    ccmp x1, x3, #0, eq
    csel x9, x4, x8, eq
    csel x10, x5, x1, eq
    stlxp w11, x9, x10, [x0]
    cbnz w11, L0
    cmp x8, x2
    ccmp x1, x3, #0, eq
    cset w0, eq
    ret
L1:
    mov x6, x4
    mov x7, x5
    mov x4, x2
    mov x5, x3
    caspl x4, x5, x6, x7, [x0]
    cmp x4, x2
    ccmp x5, x3, #0, eq
    cset w0, eq
    ret
L2:
    sub sp, sp, #32
    stp x29, x30, [sp, #16]
    add x29, sp, #16
    mov w6, wzr
    mov w7, #1
    stp x3, x2, [sp]
    bl atomshard::arch::aarch64::exchange_first
    ldp x3, x2, [sp]
    ldp x29, x30, [sp, #16]
    add sp, sp, #32
    cmp x0, x2
    ccmp x1, x3, #0, eq
    cset w0, eq
    ret
