    push r15
    push r14
    push rbx
    mov r14, rsi
    mov r15, rdi
    data16
    lea rdi, [rip + atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL@TLSGD]
    data16
    data16
    rex64
    call __tls_get_addr@PLT
    mov rbx, qword ptr [rax]
    test rbx, rbx
    je L7
    inc qword ptr [rbx]
L0:
    mov rax, qword ptr [r15 + 80]
    xor rax, r14
    movabs rcx, -4563226453097033507
    mul rcx
    mov rcx, qword ptr [r15 + 16]
    test rcx, rcx
    je L4
    xor rdx, rax
    movabs rsi, -7046029254386353131
    imul rsi, rdx
    mov rax, rsi
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
    mov r8, rsi
    shr r8, 33
    or r8d, 32768
    movzx eax, r8w
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
    pmovmskb r9d, xmm1
    and r9d, 43690
    shl r8, 48
    movabs r10, -281474976710649
L1:
    test r9d, r9d
    je L3
    rep bsf eax, r9d
    mov rax, qword ptr [rdi + 4*rax - 4]
    xor rax, r8
    test rax, r10
    jne L6
    lea r11d, [r9 - 1]
    and r11d, r9d
    mov r9d, r11d
    cmp r14, qword ptr [rax]
    jne L1
L2:
    mov rdx, qword ptr [rax + 8]
    mov eax, 1
    jmp L5
L3:
    mov rax, qword ptr [rdx + 120]
    test rax, -5
    jne L6
L4:
    xor eax, eax
L5:
    mov rcx, qword ptr [rbx]
    lea rsi, [rcx - 1]
    mov rdi, rsi
    shl rdi, 16
    jne L8
    movabs rsi, 281474976710655
    add rcx, rsi
    mov qword ptr [rbx], rcx
    pop rbx
    pop r14
    pop r15
    ret
L6:
    mov rdi, rcx
    mov rdx, r14
    call atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    test rax, rax
    jne L2
    jmp L4
L7:
    call qword ptr [rip + atomshard::reclaim::registry::pin_slowly@GOTPCREL]
    mov rbx, rax
    jmp L0
L8:
    mov rdi, rbx
    mov rbx, rax
    mov r14, rdx
    call qword ptr [rip + atomshard::reclaim::registry::Record::leave_nested@GOTPCREL]
    mov rdx, r14
    mov rax, rbx
    pop rbx
    pop r14
    pop r15
    ret
