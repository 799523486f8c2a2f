    vmovq xmm0, rdx
    vmovq xmm1, rsi
    vpunpcklqdq xmm0, xmm1, xmm0
    vmovdqa xmmword ptr [rdi], xmm0
    ret
