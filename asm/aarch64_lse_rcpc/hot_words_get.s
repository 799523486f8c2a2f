    add x9, x0, #72
    ldp x11, x10, [x0, #80]
    ldr x8, [x0, #112]
    ldapr x9, [x9]
    cbz x9, L4
    stp x29, x30, [sp, #-96]!
    str x27, [sp, #16]
    stp x26, x25, [sp, #32]
    stp x24, x23, [sp, #48]
    stp x22, x21, [sp, #64]
    stp x20, x19, [sp, #80]
    mov x29, sp
    eor x8, x8, x1
    mul x8, x8, x11
    eor x8, x8, x8, lsr #32
    mul x19, x8, x10
    lsr x8, x19, #59
    add x20, x9, x8, lsl #4
    add x8, x20, #8
    ldapr x21, [x8]
    ldar x8, [x20]
    cbz x8, L7
    mov w9, #16
    and x22, x19, #0x7ffffffffffffff
    adrp x10, CONST0
    bfxil x9, x19, #60, #4
    ldr q5, [x10, :lo12:CONST0]
    adrp x24, :got:atomshard::arch::detect::FOUND
    mul x9, x9, x22
    lsr x9, x9, x8
    and x8, x8, #0xffffffffffffffc0
    add x23, x8, x9, lsl #6
    ld4 { v0.4s, v1.4s, v2.4s, v3.4s }, [x23]
    dup v4.4s, w19
    cmeq v4.4s, v4.4s, v0.4s
    and v4.16b, v4.16b, v5.16b
    addv s4, v4.4s
    fmov w25, s4
    ldr x24, [x24, :got_lo12:atomshard::arch::detect::FOUND]
    cbz w25, L5
    orr x26, x22, #0x800000000000000
    b L2
L0:
    ldp x4, x5, [x8]
    dmb ishld
    cmp x26, x4
    b.eq L9
L1:
    sub w8, w25, #1
    ands w25, w8, w25
    b.eq L5
L2:
    rbit w8, w25
    ldr x9, [x24]
    clz w8, w8
    add x8, x23, w8, uxtw #4
    tbnz w9, #1, L0
    cbz x9, L3
    mov x4, xzr
    mov x5, xzr
    mov x6, xzr
    mov x7, xzr
    caspa x4, x5, x6, x7, [x8]
    cmp x26, x4
    b.ne L1
    b L9
L3:
    mov x27, x0
    mov x0, x8
    mov w1, #2
    bl atomshard::arch::aarch64::load_first
    mov x4, x0
    mov x0, x27
    mov x5, x1
    cmp x26, x4
    b.ne L1
    b L9
L4:
    mov x0, xzr
    mov x1, x5
    ret
L5:
    ldr x9, [x24]
    add x8, x23, #48
    tbnz w9, #1, L8
    cbz x9, L12
    mov x4, xzr
    mov x5, xzr
    mov x6, xzr
    mov x7, xzr
    caspa x4, x5, x6, x7, [x8]
    orr x8, x22, #0x800000000000000
    cmp x8, x4
    b.eq L9
L6:
    lsr x8, x4, #61
    cbnz x8, L11
    dmb ishld
    ldr x8, [x20, #8]
    cmp x8, x21
    b.ne L11
L7:
    mov x0, xzr
    b L10
L8:
    ldp x4, x5, [x8]
    dmb ishld
    orr x8, x22, #0x800000000000000
    cmp x8, x4
    b.ne L6
L9:
    mov w0, #1
L10:
    ldp x20, x19, [sp, #80]
    ldr x27, [sp, #16]
    ldp x22, x21, [sp, #64]
    ldp x24, x23, [sp, #48]
    ldp x26, x25, [sp, #32]
    ldp x29, x30, [sp], #96
    mov x1, x5
    ret
L11:
    mov x1, x19
    bl atomshard::map::word_map::raw::find::<impl atomshard::map::word_map::raw::RawWords>::get_guarded
    mov x5, x1
    and x0, x0, #0x1
    b L10
L12:
    mov x23, x0
    mov x0, x8
    mov w1, #2
    bl atomshard::arch::aarch64::load_first
    mov x4, x0
    mov x0, x23
    mov x5, x1
    orr x8, x22, #0x800000000000000
    cmp x8, x4
    b.eq L9
    b L6
