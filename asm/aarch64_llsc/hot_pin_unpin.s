    stp x29, x30, [sp, #-16]!
    mov x29, sp
    adrp x0, :tlsdesc:atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL
    ldr x1, [x0, :tlsdesc_lo12:atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL]
    add x0, x0, :tlsdesc_lo12:atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL
    blr x1
    mrs x8, TPIDR_EL0
    ldr x0, [x8, x0]
    cbz x0, L1
    ldr x8, [x0]
    add x8, x8, #1
    stlr x8, [x0]
    ldr x8, [x0]
    sub x1, x8, #1
    tst x1, #0xffffffffffff
    b.ne L2
L0:
    mov x9, #281474976710655
    add x8, x8, x9
    stlr x8, [x0]
    ldp x29, x30, [sp], #16
    ret
L1:
    bl atomshard::reclaim::registry::pin_slowly
    ldr x8, [x0]
    sub x1, x8, #1
    tst x1, #0xffffffffffff
    b.eq L0
L2:
    ldp x29, x30, [sp], #16
    b atomshard::reclaim::registry::Record::leave_nested
