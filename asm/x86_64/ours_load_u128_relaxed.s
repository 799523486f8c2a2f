    mov rax, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rax, qword ptr [rax]
    test al, 2
    je L0
    vmovdqa xmm0, xmmword ptr [rdi]
    movq rax, xmm0
    punpckhqdq xmm0, xmm0
    movq rdx, xmm0
    ret
L0:
    xor esi, esi
    jmp qword ptr [rip + atomshard::arch::x86_64::load_otherwise@GOTPCREL]
