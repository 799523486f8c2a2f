    movd xmm0, esi
    movaps xmm1, xmmword ptr [rdi]
    movaps xmm2, xmmword ptr [rdi + 32]
    shufps xmm1, xmmword ptr [rdi + 16], 85
    shufps xmm2, xmmword ptr [rdi + 48], 85
    pshufd xmm0, xmm0, 0
    shufps xmm1, xmm2, 136
    pcmpeqd xmm1, xmm0
    movmskps eax, xmm1
    ret
