    mov rax, rsi
    xor ecx, ecx
    lock cmpxchg qword ptr [rdi], rdx
    mov rdx, rax
    setne cl
    mov rax, rcx
    ret
