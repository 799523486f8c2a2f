    stp x29, x30, [sp, #-16]!
    mov x29, sp
    ldr x8, [x0, #32]
    ldr x9, [x8], #8
    ldar x8, [x8]
    cbz x8, L2
    mov x10, #20701
    eor x9, x9, x1
    mov x2, x1
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
    adrp x11, CONST0
    ldr q0, [x11, :lo12:CONST0]
    lsr x10, x1, #59
    add x8, x8, x10, lsl #3
    lsr x10, x1, #33
    ldar x0, [x8]
    lsr x8, x9, x0
    and x9, x0, #0xffffffffffffffc0
    add x9, x9, x8, lsl #6
    orr w8, w10, #0xffff8000
    and w12, w8, #0xffff
    add x10, x9, #64
    ldp q1, q2, [x10]
    ldp q3, q4, [x10, #32]
    uzp2 v1.8h, v1.8h, v2.8h
    uzp2 v3.8h, v3.8h, v4.8h
    uzp2 v1.8h, v1.8h, v3.8h
    dup v2.8h, w12
    cmeq v1.8h, v1.8h, v2.8h
    and v1.16b, v1.16b, v0.16b
    addv h1, v1.8h
    fmov w11, s1
    cbz w11, L1
    lsl x12, x8, #48
L0:
    rbit w8, w11
    clz w8, w8
    lsl w8, w8, #2
    add x8, x10, x8
    sub x8, x8, #4
    ldar x8, [x8]
    eor x8, x12, x8
    tst x8, #0xffff000000000007
    b.ne L3
    ldr x13, [x8]
    cmp x2, x13
    b.eq L4
    sub w8, w11, #1
    ands w11, w8, w11
    b.ne L0
L1:
    add x8, x9, #120
    ldar x8, [x8]
    tst x8, #0xfffffffffffffffb
    b.ne L3
L2:
    mov x0, xzr
    ldp x29, x30, [sp], #16
    ret
L3:
    bl atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    mov x8, x0
    cbz x0, L5
L4:
    ldr x1, [x8, #8]
    mov w0, #1
    ldp x29, x30, [sp], #16
    ret
L5:
    ldp x29, x30, [sp], #16
    ret
