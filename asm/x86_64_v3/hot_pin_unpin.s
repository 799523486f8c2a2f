    push rax
    data16
    lea rdi, [rip + atomshard::reclaim::registry::CURRENT::{{constant}}::{{closure}}::__RUST_STD_INTERNAL_VAL@TLSGD]
    data16
    data16
    rex64
    call __tls_get_addr@PLT
    mov rax, qword ptr [rax]
    test rax, rax
    je L1
    inc qword ptr [rax]
L0:
    mov rcx, qword ptr [rax]
    lea rsi, [rcx - 1]
    mov rdx, rsi
    shl rdx, 16
    jne L2
    movabs rdx, 281474976710655
    add rcx, rdx
    mov qword ptr [rax], rcx
    pop rax
    ret
L1:
    call qword ptr [rip + atomshard::reclaim::registry::pin_slowly@GOTPCREL]
    jmp L0
L2:
    mov rdi, rax
    pop rax
    jmp qword ptr [rip + atomshard::reclaim::registry::Record::leave_nested@GOTPCREL]
