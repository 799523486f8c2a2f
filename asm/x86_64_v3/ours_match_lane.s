    vmovd xmm0, esi
    vmovaps xmm1, xmmword ptr [rdi]
    vmovaps xmm2, xmmword ptr [rdi + 32]
    vshufps xmm1, xmm1, xmmword ptr [rdi + 16], 85
    vshufps xmm2, xmm2, xmmword ptr [rdi + 48], 85
    vpshufd xmm0, xmm0, 0
    vshufps xmm1, xmm1, xmm2, 136
    vpcmpeqd xmm1, xmm1, xmm0
    vmovmskps eax, xmm1
    ret
