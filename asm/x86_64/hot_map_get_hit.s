    push rbx
    mov rcx, qword ptr [rdi + 32]
    mov rax, qword ptr [rcx + 80]
    xor rax, rsi
    movabs rdx, -4563226453097033507
    mul rdx
    mov rcx, qword ptr [rcx + 16]
    test rcx, rcx
    je L3
    xor rdx, rax
    movabs r8, -7046029254386353131
    imul r8, rdx
    mov rax, r8
    shr rax, 59
    mov rcx, qword ptr [rcx + 8*rax]
    movabs rax, -4112007255848680800
    imul rax, rdx
    shr rax, cl
    shl rax, 6
    mov rdi, rcx
    and rdi, -64
    lea rdx, [rdi + rax]
    add rdi, rax
    add rdi, 64
    mov r9, r8
    shr r9, 33
    or r9d, 32768
    movzx eax, r9w
    movd xmm0, eax
    pshuflw xmm0, xmm0, 0
    punpcklqdq xmm0, xmm0
    movdqa xmm1, xmm0
    movdqa xmm2, xmm0
    movdqa xmm3, xmm0
    pcmpeqw xmm1, xmmword ptr [rdi]
    pcmpeqw xmm2, xmmword ptr [rdi + 16]
    pcmpeqw xmm3, xmmword ptr [rdi + 32]
    pcmpeqw xmm0, xmmword ptr [rdi + 48]
    packsswb xmm1, xmm2
    packsswb xmm3, xmm0
    packsswb xmm1, xmm3
    pmovmskb r10d, xmm1
    and r10d, 43690
    shl r9, 48
    movabs r11, -281474976710649
L0:
    test r10d, r10d
    je L2
    rep bsf eax, r10d
    mov rax, qword ptr [rdi + 4*rax - 4]
    xor rax, r9
    test rax, r11
    jne L4
    lea ebx, [r10 - 1]
    and ebx, r10d
    mov r10d, ebx
    cmp rsi, qword ptr [rax]
    jne L0
L1:
    mov rdx, qword ptr [rax + 8]
    mov eax, 1
    pop rbx
    ret
L2:
    mov rax, qword ptr [rdx + 120]
    test rax, -5
    jne L4
L3:
    xor eax, eax
    pop rbx
    ret
L4:
    mov rdi, rcx
    mov rdx, rsi
    mov rsi, r8
    call atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    test rax, rax
    jne L1
    jmp L3
