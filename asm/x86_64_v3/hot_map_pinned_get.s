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
    mov rdx, qword ptr [r15 + 80]
    xor rdx, r14
    movabs rax, -4563226453097033507
    mulx rax, rdx, rax
    mov rcx, qword ptr [r15 + 16]
    test rcx, rcx
    je L4
    xor rax, rdx
    movabs rsi, -7046029254386353131
    imul rsi, rax
    mov rdx, rsi
    shr rdx, 59
    mov rdi, qword ptr [rcx + 8*rdx]
    movabs rcx, -4112007255848680800
    imul rcx, rax
    shrx rax, rcx, rdi
    shl rax, 6
    mov rdx, rdi
    and rdx, -64
    lea rcx, [rdx + rax]
    add rdx, rax
    add rdx, 64
    mov r8, rsi
    shr r8, 33
    or r8d, 32768
    movzx eax, r8w
    vmovd xmm0, eax
    vpbroadcastw xmm0, xmm0
    vpcmpeqw xmm1, xmm0, xmmword ptr [rdx]
    vpcmpeqw xmm2, xmm0, xmmword ptr [rdx + 16]
    vpcmpeqw xmm3, xmm0, xmmword ptr [rdx + 32]
    vpcmpeqw xmm0, xmm0, xmmword ptr [rdx + 48]
    vpacksswb xmm1, xmm1, xmm2
    vpacksswb xmm3, xmm3, xmm0
    vpacksswb xmm1, xmm1, xmm3
    vpmovmskb r9d, xmm1
    and r9d, 43690
    shl r8, 48
    movabs r10, -281474976710649
L1:
    test r9d, r9d
    je L3
    xor eax, eax
    tzcnt eax, r9d
    mov rax, qword ptr [rdx + 4*rax - 4]
    xor rax, r8
    test rax, r10
    jne L6
    blsr r9d, r9d
    cmp r14, qword ptr [rax]
    jne L1
L2:
    mov rdx, qword ptr [rax + 8]
    mov eax, 1
    jmp L5
L3:
    mov rax, qword ptr [rcx + 120]
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
