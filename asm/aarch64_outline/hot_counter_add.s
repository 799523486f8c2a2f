    ldr x8, [x0, #8]
    cbnz x8, L0
    stp x29, x30, [sp, #-48]!
    str x21, [sp, #16]
    stp x20, x19, [sp, #32]
    mov x29, sp
    ldr x20, [x0]
    mov x19, x0
    mov x21, x1
    mov x2, x19
    add x1, x20, x1
    mov x0, x20
    bl __aarch64_cas8_relax
    mov x1, x21
    mov x8, x0
    mov x0, x19
    cmp x8, x20
    ldp x20, x19, [sp, #32]
    ldr x21, [sp, #16]
    ldp x29, x30, [sp], #48
    b.ne L0
    ret
L0:
    b atomshard::shard::counter::ShardCounter<P>::add_to_stripe
