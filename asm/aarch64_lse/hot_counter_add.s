    ldr x8, [x0, #8]
    cbnz x8, L0
    ldr x8, [x0]
    add x9, x8, x1
    mov x10, x8
    cas x10, x9, [x0]
    cmp x10, x8
    b.ne L0
    ret
L0:
    b atomshard::shard::counter::ShardCounter<P>::add_to_stripe
