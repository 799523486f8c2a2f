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
    je L8
    inc qword ptr [rbx]
L0:
    mov rdx, qword ptr [r15]
    xor rdx, r14
    movabs rax, -4563226453097033507
    mulx rax, rdx, rax
    mov rcx, qword ptr [r15 + 8]
    test rcx, rcx
    je L3
    xor rax, rdx
    movabs rsi, -7046029254386353131
    imul rsi, rax
    mov rdx, rsi
    shr rdx, 59
    mov rdi, qword ptr [rcx + 8*rdx]
    movabs rcx, -4112007255848680800
    imul rcx, rax
    shrx rcx, rcx, rdi
    shl rcx, 6
    mov rdx, rdi
    and rdx, -64
    lea r8, [rdx + rcx]
    add r8, 64
    mov rax, rsi
    shr rax, 33
    or eax, 32768
    movzx r9d, ax
    vmovd xmm0, r9d
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
    test r10d, r10d
    je L2
    shl r9, 48
    movabs r11, -281474976710649
L1:
    xor eax, eax
    tzcnt eax, r10d
    mov rax, qword ptr [r8 + 4*rax - 4]
    xor rax, r9
    test rax, r11
    jne L6
    cmp r14, qword ptr [rax]
    je L7
    blsr r10d, r10d
    jne L1
L2:
    add rdx, rcx
    mov rax, qword ptr [rdx + 120]
    test rax, -5
    jne L6
L3:
    xor eax, eax
L4:
    mov rcx, qword ptr [rbx]
    lea rsi, [rcx - 1]
    mov rdx, rsi
    shl rdx, 16
    jne L9
    movabs rdx, 281474976710655
    add rcx, rdx
    mov qword ptr [rbx], rcx
L5:
    mov rdx, r14
    pop rbx
    pop r14
    pop r15
    ret
L6:
    mov rdx, r14
    call atomshard::map::shard_map::raw::find::<impl atomshard::map::shard_map::raw::RawMap<K, V>>::get_moving
    test rax, rax
    je L3
L7:
    mov r14, qword ptr [rax + 8]
    mov eax, 1
    jmp L4
L8:
    call qword ptr [rip + atomshard::reclaim::registry::pin_slowly@GOTPCREL]
    mov rbx, rax
    jmp L0
L9:
    mov rdi, rbx
    mov rbx, rax
    call qword ptr [rip + atomshard::reclaim::registry::Record::leave_nested@GOTPCREL]
    mov rax, rbx
    jmp L5
