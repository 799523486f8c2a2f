    mov rax, rsi
    neg rax
    lock xadd qword ptr [rdi], rax
    ret
