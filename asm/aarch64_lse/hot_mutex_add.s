    stp x29, x30, [sp, #-48]!
    str x21, [sp, #16]
    stp x20, x19, [sp, #32]
    mov x29, sp
    mov w8, wzr
    mov w9, #1
    casa w8, w9, [x0]
    cmp w8, #0
    b.ne L2
    adrp x19, :got:std::panicking::panic_count::GLOBAL_PANIC_COUNT
    ldr x19, [x19, :got_lo12:std::panicking::panic_count::GLOBAL_PANIC_COUNT]
    ldr x8, [x19]
    tst x8, #0x7fffffffffffffff
    b.ne L3
L0:
    ldrb wzr, [x0, #4]
    ldr x8, [x0, #8]
    add x20, x0, #4
    add x8, x8, x1
    str x8, [x0, #8]
    ldr x8, [x19]
    tst x8, #0x7fffffffffffffff
    b.ne L4
L1:
    swpl wzr, w8, [x0]
    cmp w8, #2
    b.eq L5
    ldp x20, x19, [sp, #32]
    ldr x21, [sp, #16]
    ldp x29, x30, [sp], #48
    ret
L2:
    mov x19, x0
    mov x20, x1
    bl <std::sys::sync::mutex::futex::Mutex>::lock_contended
    mov x1, x20
    mov x0, x19
    adrp x19, :got:std::panicking::panic_count::GLOBAL_PANIC_COUNT
    ldr x19, [x19, :got_lo12:std::panicking::panic_count::GLOBAL_PANIC_COUNT]
    ldr x8, [x19]
    tst x8, #0x7fffffffffffffff
    b.eq L0
L3:
    mov x20, x0
    mov x21, x1
    bl std::panicking::panic_count::is_zero_slow_path
    ldrb wzr, [x20, #4]
    ldr x9, [x20, #8]
    mov w8, w0
    mov x0, x20
    add x9, x9, x21
    str x9, [x20, #8]
    cbz w8, L1
    add x20, x0, #4
    ldr x8, [x19]
    tst x8, #0x7fffffffffffffff
    b.eq L1
L4:
    mov x19, x0
    bl std::panicking::panic_count::is_zero_slow_path
    mov w8, w0
    mov x0, x19
    tbnz w8, #0, L1
    mov w8, #1
    strb w8, [x20]
    b L1
L5:
    ldp x20, x19, [sp, #32]
    ldr x21, [sp, #16]
    ldp x29, x30, [sp], #48
    b <std::sys::sync::mutex::futex::Mutex>::wake
