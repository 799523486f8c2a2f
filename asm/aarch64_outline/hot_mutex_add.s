    stp x29, x30, [sp, #-48]!
    str x21, [sp, #16]
    stp x20, x19, [sp, #32]
    mov x29, sp
    mov x19, x0
    mov x20, x1
    mov w0, wzr
    mov w1, #1
    mov x2, x19
    bl __aarch64_cas4_acq
    cmp w0, #0
    b.ne L2
    adrp x21, :got:std::panicking::panic_count::GLOBAL_PANIC_COUNT
    ldr x21, [x21, :got_lo12:std::panicking::panic_count::GLOBAL_PANIC_COUNT]
    ldr x8, [x21]
    tst x8, #0x7fffffffffffffff
    b.ne L3
L0:
    ldrb wzr, [x19, #4]
    ldr x8, [x19, #8]
    add x8, x8, x20
    add x20, x19, #4
    str x8, [x19, #8]
    ldr x8, [x21]
    tst x8, #0x7fffffffffffffff
    b.ne L4
L1:
    mov w0, wzr
    mov x1, x19
    bl __aarch64_swp4_rel
    cmp w0, #2
    b.eq L5
    ldp x20, x19, [sp, #32]
    ldr x21, [sp, #16]
    ldp x29, x30, [sp], #48
    ret
L2:
    mov x0, x19
    bl <std::sys::sync::mutex::futex::Mutex>::lock_contended
    adrp x21, :got:std::panicking::panic_count::GLOBAL_PANIC_COUNT
    ldr x21, [x21, :got_lo12:std::panicking::panic_count::GLOBAL_PANIC_COUNT]
    ldr x8, [x21]
    tst x8, #0x7fffffffffffffff
    b.eq L0
L3:
    bl std::panicking::panic_count::is_zero_slow_path
    ldrb wzr, [x19, #4]
    ldr x8, [x19, #8]
    add x8, x8, x20
    str x8, [x19, #8]
    cbz w0, L1
    add x20, x19, #4
    ldr x8, [x21]
    tst x8, #0x7fffffffffffffff
    b.eq L1
L4:
    bl std::panicking::panic_count::is_zero_slow_path
    tbnz w0, #0, L1
    mov w8, #1
    strb w8, [x20]
    b L1
L5:
    mov x0, x19
    ldp x20, x19, [sp, #32]
    ldr x21, [sp, #16]
    ldp x29, x30, [sp], #48
    b <std::sys::sync::mutex::futex::Mutex>::wake
