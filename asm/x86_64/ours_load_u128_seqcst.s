    mov rax, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rax, qword ptr [rax]
    test al, 2
    jne L0
    test al, 1
    je L1
    xor edx, edx
    xor esi, esi
    xor ecx, ecx
    xor eax, eax
    xchg rsi, rbx
    lock cmpxchg16b xmmword ptr [rdi]
    sete cl
    mov rbx, rsi
    movq xmm1, rdx
    movq xmm0, rax
    punpcklqdq xmm0, xmm1
    movq rax, xmm0
    pshufd xmm0, xmm0, 238
    movq rdx, xmm0
    ret
L0:
    vmovdqa xmm0, xmmword ptr [rdi]
    movq rax, xmm0
    punpckhqdq xmm0, xmm0
    movq rdx, xmm0
    ret
L1:
    push rax
    mov esi, 4
    call qword ptr [rip + atomshard::arch::x86_64::load_first@GOTPCREL]
    movq xmm1, rdx
    movq xmm0, rax
    punpcklqdq xmm0, xmm1
    add rsp, 8
    movq rax, xmm0
    pshufd xmm0, xmm0, 238
    movq rdx, xmm0
    ret
