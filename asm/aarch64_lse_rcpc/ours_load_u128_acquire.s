    adrp x8, :got:atomshard::arch::detect::FOUND
    ldr x8, [x8, :got_lo12:atomshard::arch::detect::FOUND]
    ldr x8, [x8]
    tbnz w8, #1, L0
    cbz x8, L1
    mov x4, xzr
    mov x5, xzr
    mov x6, xzr
    mov x7, xzr
    caspa x4, x5, x6, x7, [x0]
    mov x1, x5
    mov x0, x4
    ret
L0:
    ldp x4, x1, [x0]
    dmb ishld
    mov x0, x4
    ret
L1:
    mov w1, #2
    b atomshard::arch::aarch64::load_first
