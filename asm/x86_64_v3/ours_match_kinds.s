    mov rax, rdi
    vmovaps xmm0, xmmword ptr [rsi]
    vmovaps xmm1, xmmword ptr [rsi + 32]
    vshufps xmm0, xmm0, xmmword ptr [rsi + 16], 85
    vshufps xmm1, xmm1, xmmword ptr [rsi + 48], 85
    vshufps xmm0, xmm0, xmm1, 136
    vmovmskps ecx, xmm0
    vpand xmm0, xmm0, xmmword ptr [rdx]
    vpcmpeqd xmm1, xmm0, xmmword ptr [rdx + 32]
    vpcmpeqd xmm0, xmm0, xmmword ptr [rdx + 16]
    vmovmskps edx, xmm1
    vmovmskps esi, xmm0
    mov dword ptr [rdi], esi
    mov dword ptr [rdi + 4], edx
    mov dword ptr [rdi + 8], ecx
    ret
