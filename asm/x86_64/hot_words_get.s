    push rbp
    push r15
    push r14
    push r13
    push r12
    push rbx
    sub rsp, 40
    xor rsi, qword ptr [rdi + 112]
    imul rsi, qword ptr [rdi + 80]
    mov rbx, rsi
    shr rbx, 32
    xor rbx, rsi
    imul rbx, qword ptr [rdi + 88]
    mov rsi, qword ptr [rdi + 72]
    test rsi, rsi
    je L6
    mov r12, rbx
    shr r12, 59
    shl r12d, 4
    mov r8, qword ptr [rsi + r12 + 8]
    mov rcx, qword ptr [rsi + r12]
    test rcx, rcx
    je L6
    movabs r9, 576460752303423488
    mov r14, rbx
    shr r14, 60
    or r14, 16
    lea r10, [r9 - 1]
    and r10, rbx
    imul r14, r10
    shr r14, cl
    and rcx, -64
    shl r14, 6
    add r14, rcx
    movd xmm0, ebx
    movaps xmm1, xmmword ptr [r14]
    movaps xmm2, xmmword ptr [r14 + 32]
    shufps xmm1, xmmword ptr [r14 + 16], 0
    shufps xmm2, xmmword ptr [r14 + 48], 0
    pshufd xmm0, xmm0, 0
    shufps xmm1, xmm2, 136
    pcmpeqd xmm1, xmm0
    movmskps r13d, xmm1
    test r13d, r13d
    je L4
    mov rbp, r10
    or rbp, r9
    mov r15, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
L0:
    rep bsf eax, r13d
    shl eax, 4
    add rax, r14
    mov rcx, qword ptr [r15]
    test cl, 2
    je L2
    vmovdqa xmm0, xmmword ptr [rax]
    movq rax, xmm0
    punpckhqdq xmm0, xmm0
    movq rdx, xmm0
    cmp rax, rbp
    je L3
L1:
    lea eax, [r13 - 1]
    and eax, r13d
    mov r13d, eax
    jne L0
    jmp L4
L2:
    mov qword ptr [rsp + 8], rdi
    mov rdi, rax
    mov qword ptr [rsp + 32], rsi
    mov esi, 2
    mov qword ptr [rsp + 24], r8
    mov qword ptr [rsp + 16], r10
    call qword ptr [rip + atomshard::arch::x86_64::load_otherwise@GOTPCREL]
    mov r10, qword ptr [rsp + 16]
    movabs r9, 576460752303423488
    mov r8, qword ptr [rsp + 24]
    mov rsi, qword ptr [rsp + 32]
    mov rdi, qword ptr [rsp + 8]
    cmp rax, rbp
    jne L1
L3:
    mov eax, 1
    jmp L7
L4:
    add r14, 48
    mov rax, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rax, qword ptr [rax]
    test al, 2
    je L8
    vmovdqa xmm0, xmmword ptr [r14]
    movq rcx, xmm0
    punpckhqdq xmm0, xmm0
    movq rdx, xmm0
    or r10, r9
    mov eax, 1
    cmp rcx, r10
    je L7
L5:
    shr rcx, 61
    jne L9
    add rsi, r12
    mov rax, qword ptr [rsi + 8]
    cmp rax, r8
    jne L9
L6:
    xor eax, eax
L7:
    add rsp, 40
    pop rbx
    pop r12
    pop r13
    pop r14
    pop r15
    pop rbp
    ret
L8:
    mov qword ptr [rsp + 8], rdi
    mov rdi, r14
    mov r14, rsi
    mov esi, 2
    mov r13, r8
    mov rbp, r9
    mov r15, r10
    call qword ptr [rip + atomshard::arch::x86_64::load_otherwise@GOTPCREL]
    mov r10, r15
    mov r9, rbp
    mov r8, r13
    mov rsi, r14
    mov rdi, qword ptr [rsp + 8]
    mov rcx, rax
    or r10, r9
    mov eax, 1
    cmp rcx, r10
    jne L5
    jmp L7
L9:
    mov rsi, rbx
    call qword ptr [rip + atomshard::map::word_map::raw::find::<impl atomshard::map::word_map::raw::RawWords>::get_guarded@GOTPCREL]
    and eax, 1
    jmp L7
