    mov rax, qword ptr [rdi]
L0:
    mov rcx, rax
    and rcx, rsi
    lock cmpxchg qword ptr [rdi], rcx
    jne L0
    ret
