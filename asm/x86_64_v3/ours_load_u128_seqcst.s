    mov rax, qword ptr [rip + atomshard::arch::detect::FOUND@GOTPCREL]
    mov rax, qword ptr [rax]
    vmovdqa xmm0, xmmword ptr [rdi]
    vmovq rax, xmm0
    vpextrq rdx, xmm0, 1
    ret
