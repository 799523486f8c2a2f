    vmovq xmm0, rdx
    vmovq xmm1, rsi
    vpunpcklqdq xmm0, xmm1, xmm0
    vmovdqa xmmword ptr [rdi], xmm0
    lock or dword ptr [rsp - 64], 0
    ret
