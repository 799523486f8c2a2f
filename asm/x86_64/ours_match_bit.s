    movdqa xmm0, xmmword ptr [rdi]
    movdqa xmm1, xmmword ptr [rdi + 16]
    movdqa xmm2, xmmword ptr [rdi + 32]
    movdqa xmm3, xmmword ptr [rdi + 48]
    psllq xmm0, 62
    psllq xmm1, 62
    psllq xmm2, 62
    psllq xmm3, 62
    packsswb xmm0, xmm1
    packsswb xmm2, xmm3
    packsswb xmm0, xmm2
    pmovmskb eax, xmm0
    and eax, 43690
    ret
