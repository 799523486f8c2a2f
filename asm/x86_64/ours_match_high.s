    movzx ecx, si
    movd xmm0, ecx
    pshuflw xmm0, xmm0, 0
    punpcklqdq xmm0, xmm0
    movdqa xmm1, xmm0
    movdqa xmm2, xmm0
    movdqa xmm3, xmm0
    pcmpeqw xmm1, xmmword ptr [rdi]
    pcmpeqw xmm2, xmmword ptr [rdi + 16]
    pcmpeqw xmm3, xmmword ptr [rdi + 32]
    pcmpeqw xmm0, xmmword ptr [rdi + 48]
    packsswb xmm1, xmm2
    packsswb xmm3, xmm0
    packsswb xmm1, xmm3
    pmovmskb eax, xmm1
    and eax, 43690
    ret
