    stp x29, x30, [sp, #-16]!
    mov x29, sp
    ldr x8, [x0, #120]
    ldp x9, x10, [x0, #88]
    eor x8, x8, x1
    mul x8, x8, x9
    adrp x9, :got:atomshard::arch::detect::FOUND
    ldr x9, [x9, :got_lo12:atomshard::arch::detect::FOUND]
    eor x8, x8, x8, lsr #32
    mul x1, x8, x10
    ldr x8, [x9]
    mvn w8, w8
    tst x8, #0x3
    b.ne L6
    add x8, x0, #72
    ldapr x8, [x8]
    cbz x8, L5
    lsr x9, x1, #59
    add x9, x8, x9, lsl #4
    add x8, x9, #8
    ldapr x10, [x8]
    ldar x8, [x9]
    cbz x8, L5
    mov w11, #16
    and x12, x1, #0x7ffffffffffffff
    bfxil x11, x1, #60, #4
    mul x11, x11, x12
    adrp x12, CONST0
    ldr q5, [x12, :lo12:CONST0]
    mov x12, #576460752303423488
    bfxil x12, x1, #0, #59
    lsr x11, x11, x8
    and x8, x8, #0xffffffffffffffc0
    add x11, x8, x11, lsl #6
    ld4 { v0.4s, v1.4s, v2.4s, v3.4s }, [x11]
    dup v4.4s, w1
    cmeq v4.4s, v4.4s, v0.4s
    and v4.16b, v4.16b, v5.16b
    addv s4, v4.4s
    fmov w13, s4
    cbz w13, L1
L0:
    rbit w8, w13
    clz w8, w8
    add x14, x11, w8, uxtw #4
    ldp x15, x8, [x14]
    dmb ishld
    cmp x12, x15
    b.eq L2
    sub w8, w13, #1
    ands w13, w8, w13
    b.ne L0
L1:
    add x13, x11, #48
    ldp x11, x8, [x13]
    dmb ishld
    cmp x12, x11
    b.ne L3
L2:
    mov w0, #1
    and x0, x0, #0x1
    mov x1, x8
    ldp x29, x30, [sp], #16
    ret
L3:
    lsr x8, x11, #61
    cbz x8, L4
    lsr x8, x11, #59
    cmp x8, #4
    b.hi L7
    eor w8, w1, w1, lsr #27
    and x8, x8, #0x1f
    lsr x8, x11, x8
    tbnz w8, #0, L7
L4:
    dmb ishld
    ldr x8, [x9, #8]
    cmp x8, x10
    b.ne L7
L5:
    and x0, xzr, #0x1
    mov x1, x8
    ldp x29, x30, [sp], #16
    ret
L6:
    bl atomshard::map::word_map::raw::find::<impl atomshard::map::word_map::raw::RawWords>::get_asking
    and x0, x0, #0x1
    ldp x29, x30, [sp], #16
    ret
L7:
    bl atomshard::map::word_map::raw::find::<impl atomshard::map::word_map::raw::RawWords>::get_guarded
    and x0, x0, #0x1
    ldp x29, x30, [sp], #16
    ret
