    ldr x8, [x0, #8]
    cbz x8, L0
    b atomshard::shard::counter::ShardCounter<P>::add_to_stripe
L0:
    ldr x8, [x0]
    add x9, x8, x1
L1:
    ldxr x10, [x0]
    cmp x10, x8
    b.ne L2
    stxr w10, x9, [x0]
    cbnz w10, L1
    ret
L2:
    clrex
    b atomshard::shard::counter::ShardCounter<P>::add_to_stripe
