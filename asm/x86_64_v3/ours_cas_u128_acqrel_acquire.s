    mov r9, rcx
    mov rax, rsi
    mov rcx, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rcx, qword ptr [rcx]
    mov rcx, r8
    mov rsi, r9
    xchg rsi, rbx
    lock cmpxchg16b xmmword ptr [rdi]
    sete cl
    mov rbx, rsi
    test cl, cl
    setne al
    ret
