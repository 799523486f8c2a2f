    mov rax, rdi
    movaps xmm0, xmmword ptr [rsi]
    movaps xmm1, xmmword ptr [rsi + 32]
    shufps xmm0, xmmword ptr [rsi + 16], 85
    shufps xmm1, xmmword ptr [rsi + 48], 85
    shufps xmm0, xmm1, 136
    movmskps ecx, xmm0
    pand xmm0, xmmword ptr [rdx]
    movdqa xmm1, xmm0
    pcmpeqd xmm0, xmmword ptr [rdx + 16]
    pcmpeqd xmm1, xmmword ptr [rdx + 32]
    movmskps edx, xmm0
    movmskps esi, xmm1
    mov dword ptr [rdi], edx
    mov dword ptr [rdi + 4], esi
    mov dword ptr [rdi + 8], ecx
    ret
