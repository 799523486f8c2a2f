    push r15
    push r14
    push rbx
    mov ecx, 1
    xor eax, eax
    lock cmpxchg dword ptr [rdi], ecx
    jne L2
L0:
    mov rbx, qword ptr [rip + std::panicking::panic_count::GLOBAL_PANIC_COUNT@GOTPCREL]
    mov rax, qword ptr [rbx]
    shl rax
    test rax, rax
    jne L3
    lea r14, [rdi + 4]
    movzx eax, byte ptr [rdi + 4]
    add qword ptr [rdi + 8], rsi
    mov rax, qword ptr [rbx]
    shl rax
    test rax, rax
    jne L4
L1:
    xor eax, eax
    xchg dword ptr [rdi], eax
    cmp eax, 2
    je L5
    pop rbx
    pop r14
    pop r15
    ret
L2:
    mov rbx, rdi
    mov r14, rsi
    call qword ptr [rip + <std::sys::sync::mutex::futex::Mutex>::lock_contended@GOTPCREL]
    mov rsi, r14
    mov rdi, rbx
    jmp L0
L3:
    mov r14, rdi
    mov r15, rsi
    call qword ptr [rip + std::panicking::panic_count::is_zero_slow_path@GOTPCREL]
    mov rdi, r14
    movzx ecx, byte ptr [r14 + 4]
    add qword ptr [r14 + 8], r15
    test al, al
    je L1
    lea r14, [rdi + 4]
    mov rax, qword ptr [rbx]
    shl rax
    test rax, rax
    je L1
L4:
    mov rbx, rdi
    call qword ptr [rip + std::panicking::panic_count::is_zero_slow_path@GOTPCREL]
    mov rdi, rbx
    test al, al
    jne L1
    mov byte ptr [r14], 1
    jmp L1
L5:
    pop rbx
    pop r14
    pop r15
    jmp qword ptr [rip + <std::sys::sync::mutex::futex::Mutex>::wake@GOTPCREL]
