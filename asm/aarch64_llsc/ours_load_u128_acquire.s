    adrp x8, :got:atomshard::arch::detect::FOUND
    ldr x8, [x8, :got_lo12:atomshard::arch::detect::FOUND]
    ldr x8, [x8]
    tbnz w8, #1, L1
    cbz x8, L3
    tbnz w8, #0, L2
    mov x8, xzr
L0:
    ldaxp x4, x1, [x0]
    cmp x4, x8
    ccmp x1, x8, #0, eq
    csel x9, x8, x4, eq
    csel x10, x8, x1, eq
    stxp w11, x9, x10, [x0]
    cbnz w11, L0
    mov x0, x4
    ret
L1:
    ldp x4, x1, [x0]
    dmb ishld
    mov x0, x4
    ret
L2:
    mov x4, xzr
    mov x5, xzr
    mov x6, xzr
    mov x7, xzr
    caspa x4, x5, x6, x7, [x0]
    mov x1, x5
    mov x0, x4
    ret
L3:
    mov w1, #2
    b atomshard::arch::aarch64::load_first
