    mov r9, r8
    mov r8, rcx
    mov rax, rsi
    mov rsi, rdi
    mov rcx, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rcx, qword ptr [rcx]
    test cl, 1
    je L0
    mov rdi, rsi
    mov rcx, r9
    mov rsi, r8
    xchg rsi, rbx
    lock cmpxchg16b xmmword ptr [rdi]
    sete cl
    mov rbx, rsi
    test cl, cl
    setne al
    ret
L0:
    sub rsp, 40
    mov rdi, rsp
    mov rcx, rdx
    mov rdx, rax
    push 0
    push 1
    call qword ptr [rip + atomshard::arch::x86_64::exchange_first@GOTPCREL]
    add rsp, 16
    mov rax, qword ptr [rsp]
    or rax, qword ptr [rsp + 8]
    sete al
    add rsp, 40
    ret
