    vmovdqa xmm0, xmmword ptr [rdi]
    vmovq rax, xmm0
    vpextrq rdx, xmm0, 1
    ret
