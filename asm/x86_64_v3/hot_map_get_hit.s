    push rax
    mov rdi, qword ptr [rdi + 32]
    mov rdx, qword ptr [rdi + 80]
    xor rdx, rsi
    movabs rax, -4563226453097033507
    mulx rax, rcx, rax
    mov rdx, qword ptr [rdi + 16]
    test rdx, rdx
    je L3
    xor rax, rcx
    movabs rcx, -7046029254386353131
    imul rcx, rax
    mov rdi, rcx
    shr rdi, 59
    mov rdi, qword ptr [rdx + 8*rdi]
    movabs rdx, -4112007255848680800
    imul rdx, rax
    shrx rax, rdx, rdi
    shl rax, 6
    mov r8, rdi
    and r8, -64
    lea rdx, [r8 + rax]
    add r8, rax
    add r8, 64
    mov r9, rcx
    shr r9, 33
    or r9d, 32768
    movzx eax, r9w
    vmovd xmm0, eax
    vpbroadcastw xmm0, xmm0
    vpcmpeqw xmm1, xmm0, xmmword ptr [r8]
    vpcmpeqw xmm2, xmm0, xmmword ptr [r8 + 16]
    vpcmpeqw xmm3, xmm0, xmmword ptr [r8 + 32]
    vpcmpeqw xmm0, xmm0, xmmword ptr [r8 + 48]
    vpacksswb xmm1, xmm1, xmm2
    vpacksswb xmm3, xmm3, xmm0
    vpacksswb xmm1, xmm1, xmm3
    vpmovmskb r10d, xmm1
    and r10d, 43690
    shl r9, 48
    movabs r11, -281474976710649
L0:
    test r10d, r10d
    je L2
    xor eax, eax
    tzcnt eax, r10d
    mov rax, qword ptr [r8 + 4*rax - 4]
    xor rax, r9
    test rax, r11
    jne L4
    blsr r10d, r10d
    cmp rsi, qword ptr [rax]
    jne L0
L1:
    mov rdx, qword ptr [rax + 8]
    mov eax, 1
    pop rcx
    ret
L2:
    mov rax, qword ptr [rdx + 120]
    test rax, -5
    jne L4
L3:
    xor eax, eax
    pop rcx
    ret
L4:
    mov rdx, rsi
    mov rsi, rcx
    call atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    test rax, rax
    jne L1
    jmp L3
