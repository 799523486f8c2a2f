    mov rax, rsi
    xor rax, qword ptr [rdi + 120]
    imul rax, qword ptr [rdi + 88]
    mov rsi, rax
    shr rsi, 32
    xor rsi, rax
    imul rsi, qword ptr [rdi + 96]
    mov rax, qword ptr [rdi + 72]
    test rax, rax
    je L3
    push rax
    mov rcx, rsi
    shr rcx, 59
    shl ecx, 4
    mov rdx, qword ptr [rax + rcx + 8]
    mov r9, qword ptr [rax + rcx]
    test r9, r9
    je L6
    mov r8, rsi
    shr r8, 60
    or r8, 16
    mov r10b, 59
    bzhi r11, rsi, r10
    imul r8, r11
    shrx r8, r8, r9
    and r9, -64
    shl r8, 6
    add r8, r9
    vmovd xmm0, esi
    vmovaps xmm1, xmmword ptr [r8]
    vmovaps xmm2, xmmword ptr [r8 + 32]
    vshufps xmm1, xmm1, xmmword ptr [r8 + 16], 0
    vshufps xmm2, xmm2, xmmword ptr [r8 + 48], 0
    vpshufd xmm0, xmm0, 0
    vshufps xmm1, xmm1, xmm2, 136
    vpcmpeqd xmm1, xmm1, xmm0
    vmovmskps r10d, xmm1
    movabs r9, 576460752303423488
    or r9, r11
    test r10d, r10d
    je L1
L0:
    xor r11d, r11d
    tzcnt r11d, r10d
    shl r11d, 4
    add r11, r8
    vmovdqa xmm0, xmmword ptr [r11]
    vmovq r11, xmm0
    cmp r9, r11
    je L2
    blsr r10d, r10d
    jne L0
L1:
    add r8, 48
    vmovdqa xmm0, xmmword ptr [r8]
    vmovq r8, xmm0
    cmp r9, r8
    jne L4
L2:
    vpextrq rdx, xmm0, 1
    mov eax, 1
    add rsp, 8
    ret
L3:
    xor eax, eax
    ret
L4:
    mov r9, r8
    shr r9, 61
    je L5
    mov r9, r8
    shr r9, 59
    cmp r9d, 4
    ja L7
    mov r9d, esi
    shr r9d, 27
    xor r9d, esi
    bt r8d, r9d
    jb L7
L5:
    add rax, rcx
    mov rax, qword ptr [rax + 8]
    cmp rax, rdx
    jne L7
L6:
    xor eax, eax
    add rsp, 8
    ret
L7:
    call qword ptr [rip + atomshard::map::word_map::raw::find::<impl atomshard::map::word_map::raw::RawWords>::get_guarded@GOTPCREL]
    and eax, 1
    add rsp, 8
    ret
