    mov r8, rdx
    mov r9, rsi
    mov rax, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rax, qword ptr [rax]
    test al, 2
    jne L1
    test al, 1
    je L2
    xor edx, edx
    xor esi, esi
    xor ecx, ecx
    xor eax, eax
    xchg rsi, rbx
    lock cmpxchg16b xmmword ptr [rdi]
    sete cl
    mov rbx, rsi
L0:
    mov rcx, r8
    mov rsi, r9
    xchg rsi, rbx
    lock cmpxchg16b xmmword ptr [rdi]
    sete cl
    mov rbx, rsi
    test cl, cl
    je L0
    ret
L1:
    movq xmm0, r9
    movq xmm1, r8
    punpcklqdq xmm0, xmm1
    vmovdqa xmmword ptr [rdi], xmm0
    ret
L2:
    mov rsi, r9
    mov rdx, r8
    mov ecx, 1
    jmp qword ptr [rip + atomshard::arch::x86_64::store_first@GOTPCREL]
