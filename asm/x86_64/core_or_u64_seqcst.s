    mov rax, qword ptr [rdi]
L0:
    mov rcx, rax
    or rcx, rsi
    lock cmpxchg qword ptr [rdi], rcx
    jne L0
    ret
