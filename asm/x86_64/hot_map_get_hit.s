    push rbx
    mov rcx, qword ptr [rdi + 32]
    mov rax, qword ptr [rcx]
    xor rax, rsi
    movabs rdx, -4563226453097033507
    mul rdx
    mov rcx, qword ptr [rcx + 8]
    test rcx, rcx
    je L2
    xor rdx, rax
    movabs r8, -7046029254386353131
    imul r8, rdx
    mov rax, r8
    shr rax, 59
    mov rcx, qword ptr [rcx + 8*rax]
    movabs rdi, -4112007255848680800
    imul rdi, rdx
    shr rdi, cl
    shl rdi, 6
    mov rdx, rcx
    and rdx, -64
    lea r9, [rdx + rdi]
    add r9, 64
    mov rax, r8
    shr rax, 33
    or eax, 32768
    movzx r10d, ax
    movd xmm0, r10d
    pshuflw xmm0, xmm0, 0
    punpcklqdq xmm0, xmm0
    movdqa xmm1, xmm0
    movdqa xmm2, xmm0
    movdqa xmm3, xmm0
    pcmpeqw xmm1, xmmword ptr [r9]
    pcmpeqw xmm2, xmmword ptr [r9 + 16]
    pcmpeqw xmm3, xmmword ptr [r9 + 32]
    pcmpeqw xmm0, xmmword ptr [r9 + 48]
    packsswb xmm1, xmm2
    packsswb xmm3, xmm0
    packsswb xmm1, xmm3
    pmovmskb r11d, xmm1
    and r11d, 43690
    test r11d, r11d
    je L1
    shl r10, 48
    movabs rbx, -281474976710649
L0:
    rep bsf eax, r11d
    mov rax, qword ptr [r9 + 4*rax - 4]
    xor rax, r10
    test rax, rbx
    jne L3
    cmp rsi, qword ptr [rax]
    je L4
    lea eax, [r11 - 1]
    and eax, r11d
    mov r11d, eax
    jne L0
L1:
    add rdx, rdi
    mov rax, qword ptr [rdx + 120]
    test rax, -5
    jne L3
L2:
    xor eax, eax
    pop rbx
    ret
L3:
    mov rdi, rcx
    mov rdx, rsi
    mov rsi, r8
    call atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    test rax, rax
    je L2
L4:
    mov rdx, qword ptr [rax + 8]
    mov eax, 1
    pop rbx
    ret
