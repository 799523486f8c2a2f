    push rbx
    mov rdi, qword ptr [rdi + 32]
    mov rdx, qword ptr [rdi]
    xor rdx, rsi
    movabs rax, -4563226453097033507
    mulx rax, rcx, rax
    mov rdx, qword ptr [rdi + 8]
    test rdx, rdx
    je L2
    xor rax, rcx
    movabs rcx, -7046029254386353131
    imul rcx, rax
    mov rdi, rcx
    shr rdi, 59
    mov rdi, qword ptr [rdx + 8*rdi]
    movabs rdx, -4112007255848680800
    imul rdx, rax
    shrx rdx, rdx, rdi
    shl rdx, 6
    mov r8, rdi
    and r8, -64
    lea r9, [r8 + rdx]
    add r9, 64
    mov rax, rcx
    shr rax, 33
    or eax, 32768
    movzx r10d, ax
    vmovd xmm0, r10d
    vpbroadcastw xmm0, xmm0
    vpcmpeqw xmm1, xmm0, xmmword ptr [r9]
    vpcmpeqw xmm2, xmm0, xmmword ptr [r9 + 16]
    vpcmpeqw xmm3, xmm0, xmmword ptr [r9 + 32]
    vpcmpeqw xmm0, xmm0, xmmword ptr [r9 + 48]
    vpacksswb xmm1, xmm1, xmm2
    vpacksswb xmm3, xmm3, xmm0
    vpacksswb xmm1, xmm1, xmm3
    vpmovmskb r11d, xmm1
    and r11d, 43690
    test r11d, r11d
    je L1
    shl r10, 48
    movabs rbx, -281474976710649
L0:
    xor eax, eax
    tzcnt eax, r11d
    mov rax, qword ptr [r9 + 4*rax - 4]
    xor rax, r10
    test rax, rbx
    jne L3
    cmp rsi, qword ptr [rax]
    je L4
    blsr r11d, r11d
    jne L0
L1:
    add r8, rdx
    mov rax, qword ptr [r8 + 120]
    test rax, -5
    jne L3
L2:
    xor eax, eax
    pop rbx
    ret
L3:
    mov rdx, rsi
    mov rsi, rcx
    call atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    test rax, rax
    je L2
L4:
    mov rdx, qword ptr [rax + 8]
    mov eax, 1
    pop rbx
    ret
