    movdqa xmm0, xmmword ptr [rdi]
    movdqa xmm1, xmmword ptr [rdi + 32]
    packsswb xmm0, xmmword ptr [rdi + 16]
    packsswb xmm1, xmmword ptr [rdi + 48]
    packsswb xmm0, xmm1
    pmovmskb eax, xmm0
    not eax
    and eax, 43690
    ret
