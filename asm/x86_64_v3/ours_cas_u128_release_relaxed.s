    mov r9, rcx
    mov rax, rsi
    mov rcx, r8
    mov rsi, r9
    xchg rsi, rbx
    lock cmpxchg16b xmmword ptr [rdi]
    sete cl
    mov rbx, rsi
    test cl, cl
    setne al
    ret
