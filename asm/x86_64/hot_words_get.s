    push rbx
    mov rax, rsi
    xor rax, qword ptr [rdi + 120]
    imul rax, qword ptr [rdi + 88]
    mov rsi, rax
    shr rsi, 32
    xor rsi, rax
    imul rsi, qword ptr [rdi + 96]
    mov rax, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rax, qword ptr [rax]
    test al, 2
    je L6
    mov rax, qword ptr [rdi + 72]
    test rax, rax
    je L5
    mov rdx, rsi
    shr rdx, 59
    shl edx, 4
    mov r8, qword ptr [rax + rdx + 8]
    mov rcx, qword ptr [rax + rdx]
    test rcx, rcx
    je L5
    mov r9, rsi
    shr r9, 60
    or r9, 16
    movabs r11, 576460752303423487
    mov rbx, rsi
    and rbx, r11
    imul r9, rbx
    shr r9, cl
    and rcx, -64
    shl r9, 6
    add r9, rcx
    movd xmm0, esi
    movaps xmm1, xmmword ptr [r9]
    movaps xmm2, xmmword ptr [r9 + 32]
    shufps xmm1, xmmword ptr [r9 + 16], 0
    shufps xmm2, xmmword ptr [r9 + 48], 0
    pshufd xmm0, xmm0, 0
    shufps xmm1, xmm2, 136
    pcmpeqd xmm1, xmm0
    movmskps r10d, xmm1
    lea rcx, [rbx + r11]
    inc rcx
    test r10d, r10d
    je L1
L0:
    rep bsf r11d, r10d
    shl r11d, 4
    add r11, r9
    vmovdqa xmm0, xmmword ptr [r11]
    movq r11, xmm0
    cmp rcx, r11
    je L2
    lea r11d, [r10 - 1]
    and r11d, r10d
    mov r10d, r11d
    jne L0
L1:
    add r9, 48
    vmovdqa xmm0, xmmword ptr [r9]
    movq r9, xmm0
    cmp rcx, r9
    jne L3
L2:
    pshufd xmm0, xmm0, 238
    movq rdx, xmm0
    mov eax, 1
    and eax, 1
    pop rbx
    ret
L3:
    mov rcx, r9
    shr rcx, 61
    je L4
    mov rcx, r9
    shr rcx, 59
    cmp ecx, 4
    ja L7
    mov ecx, esi
    shr ecx, 27
    xor ecx, esi
    bt r9d, ecx
    jb L7
L4:
    add rax, rdx
    mov rax, qword ptr [rax + 8]
    cmp rax, r8
    jne L7
L5:
    xor eax, eax
    and eax, 1
    pop rbx
    ret
L6:
    call qword ptr [rip + atomshard::map::word_map::raw::find::<impl atomshard::map::word_map::raw::RawWords>::get_asking@GOTPCREL]
    and eax, 1
    pop rbx
    ret
L7:
    call qword ptr [rip + atomshard::map::word_map::raw::find::<impl atomshard::map::word_map::raw::RawWords>::get_guarded@GOTPCREL]
    and eax, 1
    pop rbx
    ret
