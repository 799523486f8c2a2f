    mov rax, qword ptr [rdi + 8]
    test rax, rax
    jne L0
    mov rax, qword ptr [rdi]
    lea rcx, [rax + rsi]
    lock cmpxchg qword ptr [rdi], rcx
    jne L0
    ret
L0:
    jmp qword ptr [rip + atomshard::shard::counter::ShardCounter<P>::add_to_stripe@GOTPCREL]
