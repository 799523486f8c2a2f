    vmovdqa xmm0, xmmword ptr [rdi]
    vmovdqa xmm1, xmmword ptr [rdi + 32]
    vpacksswb xmm0, xmm0, xmmword ptr [rdi + 16]
    vpacksswb xmm1, xmm1, xmmword ptr [rdi + 48]
    vpacksswb xmm0, xmm0, xmm1
    vpmovmskb eax, xmm0
    not eax
    and eax, 43690
    ret
