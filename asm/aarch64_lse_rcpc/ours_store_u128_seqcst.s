    adrp x8, :got:atomshard::arch::detect::FOUND
    ldr x8, [x8, :got_lo12:atomshard::arch::detect::FOUND]
    ldr x8, [x8]
    tbnz w8, #1, L1
    cbz x8, L2
L0:
    ldaxp xzr, x8, [x0]
    stlxp w8, x2, x3, [x0]
    cbnz w8, L0
    ret
L1:
    dmb ish
    stp x2, x3, [x0]
    dmb ish
    ret
L2:
    mov w4, #4
    b atomshard::arch::aarch64::store_first
