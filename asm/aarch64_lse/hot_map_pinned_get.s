    stp x29, x30, [sp, #-48]!
    str x21, [sp, #16]
    stp x20, x19, [sp, #32]
    mov x29, sp
    mov x20, x1
    mov x21, x0
    adrp x0, :tlsdesc:atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL
    ldr x1, [x0, :tlsdesc_lo12:atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL]
    add x0, x0, :tlsdesc_lo12:atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL
    blr x1
    mrs x8, TPIDR_EL0
    ldr x19, [x8, x0]
    cbz x19, L8
    ldr x8, [x19]
    add x8, x8, #1
    stlr x8, [x19]
    add x8, x21, #16
    ldr x9, [x21, #80]
    ldar x8, [x8]
    cbz x8, L4
L0:
    mov x10, #20701
    eor x9, x9, x20
    movk x10, #51580, lsl #16
    movk x10, #10679, lsl #32
    movk x10, #49324, lsl #48
    mul x11, x9, x10
    umulh x9, x9, x10
    mov x10, #31765
    movk x10, #32586, lsl #16
    movk x10, #31161, lsl #32
    movk x10, #40503, lsl #48
    eor x9, x9, x11
    mov x11, #33440
    mul x1, x9, x10
    movk x11, #59727, lsl #16
    movk x11, #14127, lsl #32
    movk x11, #50927, lsl #48
    mul x9, x9, x11
    lsr x10, x1, #59
    add x8, x8, x10, lsl #3
    lsr x10, x1, #33
    ldar x0, [x8]
    orr w12, w10, #0xffff8000
    lsr x8, x9, x0
    and x9, x0, #0xffffffffffffffc0
    add x9, x9, x8, lsl #6
    adrp x8, CONST0
    ldr q0, [x8, :lo12:CONST0]
    and w8, w12, #0xffff
    lsl x12, x12, #48
    add x10, x9, #64
    ldp q1, q2, [x10]
    ldp q3, q4, [x10, #32]
    uzp2 v1.8h, v1.8h, v2.8h
    uzp2 v3.8h, v3.8h, v4.8h
    uzp2 v1.8h, v1.8h, v3.8h
    dup v2.8h, w8
    cmeq v1.8h, v1.8h, v2.8h
    and v1.16b, v1.16b, v0.16b
    addv h1, v1.8h
    fmov w11, s1
L1:
    cbz w11, L3
    rbit w8, w11
    clz w8, w8
    lsl w8, w8, #2
    add x8, x10, x8
    sub x8, x8, #4
    ldar x8, [x8]
    eor x8, x12, x8
    tst x8, #0xffff000000000007
    b.ne L6
    ldr x13, [x8]
    sub w14, w11, #1
    and w11, w14, w11
    cmp x20, x13
    b.ne L1
L2:
    ldr x1, [x8, #8]
    mov w0, #1
    ldr x9, [x19]
    sub x8, x9, #1
    tst x8, #0xffffffffffff
    b.eq L5
    b L7
L3:
    add x8, x9, #120
    ldar x8, [x8]
    tst x8, #0xfffffffffffffffb
    b.ne L6
L4:
    mov x0, xzr
    ldr x9, [x19]
    sub x8, x9, #1
    tst x8, #0xffffffffffff
    b.ne L7
L5:
    mov x8, #281474976710655
    add x8, x9, x8
    stlr x8, [x19]
    ldp x20, x19, [sp, #32]
    ldr x21, [sp, #16]
    ldp x29, x30, [sp], #48
    ret
L6:
    mov x2, x20
    bl atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    mov x8, x0
    cbnz x0, L2
    ldr x9, [x19]
    sub x8, x9, #1
    tst x8, #0xffffffffffff
    b.eq L5
L7:
    mov x20, x0
    mov x0, x19
    mov x19, x1
    mov x1, x8
    bl atomshard::reclaim::registry::Record::leave_nested
    mov x1, x19
    mov x0, x20
    ldp x20, x19, [sp, #32]
    ldr x21, [sp, #16]
    ldp x29, x30, [sp], #48
    ret
L8:
    bl atomshard::reclaim::registry::pin_slowly
    mov x19, x0
    add x8, x21, #16
    ldr x9, [x21, #80]
    ldar x8, [x8]
    cbnz x8, L0
    b L4
